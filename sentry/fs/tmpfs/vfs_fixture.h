// SPDX-License-Identifier: Apache-2.0
//
// VfsTest: a tmpfs as the root of a namespace, a privileged and an ordinary caller, and short forms
// of the operations. For unit tests of the VFS and of file systems.
#ifndef SENTRY_FS_TMPFS_VFS_FIXTURE_H_
#define SENTRY_FS_TMPFS_VFS_FIXTURE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/operations.h"
#include "sentry/vfs/path_walk.h"

namespace redoubt::vfs {

// The errno of a Result, 0 for success: EXPECT_EQ(Code(...), ENOENT).
template <typename T>
int Code(const Result<T>& result) {
  return result.ok() ? 0 : result.error().value();
}

class NameSink : public DirectorySink {
 public:
  explicit NameSink(size_t limit = 1 << 20) : limit_(limit) {}
  bool Add(const DirectoryEntry& entry) override {
    if (names.size() >= limit_) return false;
    names.emplace_back(entry.name);
    inodes.push_back(entry.inode_number);
    offsets.push_back(entry.next_offset);
    types.push_back(entry.type);
    return true;
  }
  std::vector<std::string> names;
  std::vector<uint64_t> inodes;
  std::vector<int64_t> offsets;
  std::vector<uint8_t> types;

 private:
  const size_t limit_;
};

class VfsTest : public ::testing::Test {
 protected:
  VfsTest() {
    tmpfs::Options options;
    options.mode = 0755;
    UseRoot(tmpfs::NewMount(options, 0, "root"));
  }

  void UseRoot(RefPtr<Mount> mount) {
    ns = MakeRef<MountNamespace>(std::move(mount));
    root.capabilities = ~uint64_t{0};
    root.root = root.working_directory = ns->RootPath();
    user.uid = user.gid = 1000;
    user.root = user.working_directory = root.root;
  }

  Path At(std::string_view path) { return Walk(root, root.root, path, {}).value(); }
  Result<Path> Find(const Caller& caller, std::string_view path, WalkOptions options = {}) {
    return Walk(caller, caller.working_directory, path, options);
  }
  Result<RefPtr<FileDescription>> TryOpen(const Caller& caller, std::string_view path,
                                          uint32_t flags, uint32_t mode = 0644) {
    return Open(caller, caller.working_directory, path, {.flags = flags, .mode = mode});
  }
  int OpenCode(const Caller& caller, std::string_view path, uint32_t flags, uint32_t mode = 0644) {
    return Code(TryOpen(caller, path, flags, mode));
  }
  int Mkdir(const Caller& caller, std::string_view path, uint32_t mode = 0755) {
    return Code(MakeDirectory(caller, caller.working_directory, path, mode));
  }
  int Rmdir(const Caller& caller, std::string_view path) {
    return Code(RemoveDirectory(caller, caller.working_directory, path));
  }
  int Remove(const Caller& caller, std::string_view path) {
    return Code(Unlink(caller, caller.working_directory, path));
  }
  int Symlink(std::string_view target, std::string_view path) {
    return Code(MakeSymlink(root, root.working_directory, path, target));
  }
  int Hardlink(const Caller& caller, std::string_view from, std::string_view to) {
    auto source = Walk(caller, caller.working_directory, from, {.follow_final = false});
    if (!source.ok()) return source.error().value();
    return Code(Link(caller, *source, caller.working_directory, to));
  }
  int Move(const Caller& caller, std::string_view from, std::string_view to, unsigned flags = 0) {
    return Code(
        Rename(caller, caller.working_directory, from, caller.working_directory, to, flags));
  }
  int Chmod(std::string_view path, uint32_t mode) { return Code(ChangeMode(root, At(path), mode)); }
  int Chown(std::string_view path, uint32_t uid, uint32_t gid) {
    return Code(ChangeOwner(root, At(path), uid, gid));
  }
  // Makes or replaces a file with `text`.
  void Put(std::string_view path, std::string_view text = "", uint32_t mode = 0644) {
    auto file = TryOpen(root, path, O_CREAT | O_TRUNC | O_WRONLY, mode);
    ASSERT_EQ(Code(file), 0) << path;
    auto bytes = std::as_bytes(std::span(text));
    ASSERT_EQ((*file)->Write(bytes, root).value_or(999), text.size());
  }
  std::string Get(const Caller& caller, std::string_view path) {
    auto file = TryOpen(caller, path, O_RDONLY);
    if (!file.ok()) return "errno " + std::to_string(file.error().value());
    return ReadAll(**file);
  }
  std::string ReadAll(FileDescription& file) {
    std::string text;
    std::byte buffer[4096];
    while (true) {
      size_t n = file.PRead(buffer, text.size()).value_or(0);
      if (n == 0) return text;
      text.append(reinterpret_cast<const char*>(buffer), n);
    }
  }
  Attributes Stat(std::string_view path, bool follow = true) {
    return GetAttributes(Find(root, path, {.follow_final = follow}).value()).value();
  }
  bool Exists(std::string_view path) { return Find(root, path, {.follow_final = false}).ok(); }
  std::vector<std::string> List(std::string_view path) {
    auto directory = TryOpen(root, path, O_RDONLY | O_DIRECTORY);
    NameSink sink;
    if (!directory.ok() || !(*directory)->ReadDirectory(sink).ok()) return {"error"};
    std::vector<std::string> names(sink.names.begin() + 2, sink.names.end());
    std::sort(names.begin(), names.end());
    return names;
  }
  // A tmpfs on `path`.
  RefPtr<Mount> MountAt(std::string_view path, unsigned long flags = 0) {
    RefPtr<Mount> mount = tmpfs::NewMount({}, flags, "tmpfs");
    EXPECT_EQ(Code(ns->Attach(mount, At(path))), 0);
    return mount;
  }

  RefPtr<MountNamespace> ns;
  Caller root;
  Caller user;
};

}  // namespace redoubt::vfs

#endif  // SENTRY_FS_TMPFS_VFS_FIXTURE_H_
