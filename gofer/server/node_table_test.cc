// SPDX-License-Identifier: Apache-2.0
#include "gofer/server/node_table.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "test/util/temp_path.h"

namespace redoubt::gofer {
namespace {

class NodeTableTest : public testing::Test {
 protected:
  NodeTableTest() : table_(1000, NodeTable::kFewestDescriptors) {
    OwnedFd fd(open(dir_.c_str(), O_PATH | O_CLOEXEC));
    HostStat stat = *StatFd(fd.get());
    root_ = table_.AddRoot(0, false, std::move(fd), stat);
  }
  Node* AddChild(Node* directory, const std::string& name) {
    HostStat stat = *StatAt(*table_.Fd(directory), name.c_str());
    return *table_.Add(directory, name, stat, OwnedFd());
  }
  Node* NewDirectory(Node* parent, const std::string& name) {
    EXPECT_EQ(mkdirat(*table_.Fd(parent), name.c_str(), 0700), 0);
    return AddChild(parent, name);
  }
  test::TempDir dir_;
  NodeTable table_;
  Node* root_ = nullptr;
};

TEST_F(NodeTableTest, KeepsFewDescriptors) {
  for (int i = 0; i < 200; ++i) {
    Node* node = NewDirectory(root_, std::to_string(i));
    EXPECT_TRUE(table_.Fd(node).ok());
    EXPECT_LE(table_.open_descriptors(), NodeTable::kFewestDescriptors);
  }
}

TEST_F(NodeTableTest, AncestorsLiveWhileChildrenDo) {
  Node* a = NewDirectory(root_, "a");
  Node* b = NewDirectory(a, "b");
  uint64_t a_handle = a->handle, b_handle = b->handle;
  table_.Release(a_handle);
  EXPECT_TRUE(table_.Find(a_handle).Is(ESTALE));
  EXPECT_TRUE(table_.Fd(*table_.Find(b_handle)).ok());
  table_.Release(b_handle);
  EXPECT_EQ(table_.size(), 1u);
}

TEST_F(NodeTableTest, HalfOfTheDescriptorsMayBePinned) {
  for (int i = 0; i < 100; ++i) table_.Pin(NewDirectory(root_, std::to_string(i)));
  EXPECT_LE(table_.open_descriptors(), NodeTable::kFewestDescriptors);
  EXPECT_TRUE(table_.Fd(NewDirectory(root_, "more")).ok());
}

TEST_F(NodeTableTest, RingsMadeByTheHostEndInStale) {
  Node* a = NewDirectory(root_, "a");
  Node* b = NewDirectory(a, "b");
  // The host moves b up and a below it; the sentry is told of one half only.
  ASSERT_EQ(rename(dir_.Path("a/b").c_str(), dir_.Path("b").c_str()), 0);
  ASSERT_EQ(rename(dir_.Path("a").c_str(), dir_.Path("b/a").c_str()), 0);
  table_.Relocate(a, b, "a");
  EXPECT_EQ(a->directory, root_) << "b is known as a child of a";
  table_.Relocate(a, a, "a");
  EXPECT_EQ(a->directory, root_);
}

}  // namespace
}  // namespace redoubt::gofer
