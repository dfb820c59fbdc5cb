// SPDX-License-Identifier: Apache-2.0

#include <gmock/gmock.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "test/util/fork.h"
#include "test/util/platform.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

struct Buffer {
  long type = 0;
  char text[8193] = {};
};

class Queue {
 public:
  explicit Queue(key_t key = IPC_PRIVATE, int flags = IPC_CREAT | 0600) : id_(msgget(key, flags)) {}
  ~Queue() { Remove(); }
  int id() const { return id_; }
  int Remove() const { return msgctl(id_, IPC_RMID, nullptr); }
  int Send(long type, const std::string& text, int flags = IPC_NOWAIT) const {
    Buffer buffer;
    buffer.type = type;
    memcpy(buffer.text, text.data(), text.size());
    return msgsnd(id_, &buffer, text.size(), flags);
  }
  // The text, or its errno's name in brackets.
  std::string Receive(long type = 0, int flags = IPC_NOWAIT, size_t size = 8192,
                      long* got = nullptr) const {
    Buffer buffer;
    ssize_t length = msgrcv(id_, &buffer, size, type, flags);
    if (length < 0) return std::string("[") + strerrorname_np(errno) + "]";
    if (got) *got = buffer.type;
    return std::string(buffer.text, static_cast<size_t>(length));
  }
  msqid_ds Status() const {
    msqid_ds status{};
    EXPECT_EQ(msgctl(id_, IPC_STAT, &status), 0);
    return status;
  }

 private:
  const int id_;
};

// Messages lie in the sandbox's own memory: all together end at 256 MiB.
TEST(SysvMsg, AllTogetherAreBounded) {
  if (!InSandbox()) GTEST_SKIP() << "the host's memory is not to be filled";
  const std::string text(8192, 'x');
  std::vector<std::unique_ptr<Queue>> queues;
  int sent = -1;
  errno = EAGAIN;
  while (errno == EAGAIN && queues.size() < 300) {
    queues.push_back(std::make_unique<Queue>());
    msqid_ds status = queues.back()->Status();
    status.msg_qbytes = 1 << 20;
    if (msgctl(queues.back()->id(), IPC_SET, &status) != 0) GTEST_SKIP() << "may not raise limits";
    do sent = queues.back()->Send(1, text);
    while (sent == 0);
  }
  ASSERT_THAT(sent, SyscallFailsWith(ENOMEM));
  // What goes makes room, by a receive or with its queue.
  EXPECT_EQ(queues.front()->Receive().size(), text.size());
  EXPECT_THAT(queues.front()->Send(1, text), SyscallSucceeds());
  EXPECT_THAT(queues.back()->Send(1, text), SyscallFailsWith(ENOMEM));
  EXPECT_THAT(queues.front()->Remove(), SyscallSucceeds());
  EXPECT_THAT(queues.back()->Send(1, text), SyscallSucceeds());
}

TEST(SysvMsg, FirstInFirstOut) {
  Queue queue;
  ASSERT_THAT(queue.Send(1, "one"), SyscallSucceeds());
  ASSERT_THAT(queue.Send(2, "two"), SyscallSucceeds());
  long type = 0;
  EXPECT_EQ(queue.Receive(0, IPC_NOWAIT, 100, &type), "one");
  EXPECT_EQ(type, 1);
  EXPECT_EQ(queue.Receive(), "two");
  EXPECT_EQ(queue.Receive(), "[ENOMSG]");
}

TEST(SysvMsg, TypesSelect) {
  Queue queue;
  for (long type : {5, 3, 4, 3}) queue.Send(type, std::to_string(type));
  EXPECT_EQ(queue.Receive(4), "4");
  EXPECT_EQ(queue.Receive(9), "[ENOMSG]");
  EXPECT_EQ(queue.Receive(-4), "3");
  EXPECT_EQ(queue.Receive(5, IPC_NOWAIT | MSG_EXCEPT), "3");
  EXPECT_EQ(queue.Receive(-2), "[ENOMSG]");
  EXPECT_EQ(queue.Receive(), "5");
}

TEST(SysvMsg, TooLongIsE2bigOrCut) {
  Queue queue;
  queue.Send(1, "0123456789");
  EXPECT_EQ(queue.Receive(0, IPC_NOWAIT, 4), "[E2BIG]");
  EXPECT_EQ(queue.Receive(0, IPC_NOWAIT | MSG_NOERROR, 4), "0123");
  EXPECT_EQ(queue.Receive(), "[ENOMSG]");
}

TEST(SysvMsg, EmptyMessagesCount) {
  Queue queue;
  ASSERT_THAT(queue.Send(7, ""), SyscallSucceeds());
  EXPECT_EQ(queue.Status().msg_qnum, 1u);
  EXPECT_EQ(queue.Receive(), "");
}

TEST(SysvMsg, FullQueueIsEagain) {
  Queue queue;
  std::string text(8192, 'x');
  ASSERT_THAT(queue.Send(1, text), SyscallSucceeds());
  ASSERT_THAT(queue.Send(1, text), SyscallSucceeds());
  EXPECT_THAT(queue.Send(1, "y"), SyscallFailsWith(EAGAIN));
  EXPECT_EQ(queue.Status().__msg_cbytes, 16384u);
}

TEST(SysvMsg, BadArguments) {
  Queue queue;
  EXPECT_THAT(queue.Send(0, "x"), SyscallFailsWith(EINVAL));
  EXPECT_THAT(queue.Send(-1, "x"), SyscallFailsWith(EINVAL));
  Buffer buffer;
  buffer.type = 1;
  EXPECT_THAT(msgsnd(queue.id(), &buffer, 8193, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(msgsnd(-1, &buffer, 1, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(msgrcv(queue.id(), &buffer, static_cast<size_t>(-1), 0, 0), SyscallFailsWith(EINVAL));
  EXPECT_THAT(msgctl(queue.id(), 99, nullptr), SyscallFailsWith(EINVAL));
}

TEST(SysvMsg, ReaderIsWoken) {
  Queue queue;
  ForkedChild child([&] { CHILD_CHECK(queue.Receive(2, 0) == "for you"); });
  AwaitSleeping(child.pid());
  queue.Send(1, "not for you");
  AwaitSleeping(child.pid());
  queue.Send(2, "for you");
  EXPECT_THAT(child.Wait(), ExitedWith(0));
  EXPECT_EQ(queue.Status().msg_lrpid, child.pid() > 0 ? child.pid() : queue.Status().msg_lrpid);
}

TEST(SysvMsg, WriterIsWoken) {
  Queue queue;
  std::string text(8192, 'x');
  queue.Send(1, text), queue.Send(1, text);
  ForkedChild child([&] { CHILD_CHECK(queue.Send(3, "late", 0) == 0); });
  AwaitSleeping(child.pid());
  queue.Receive();
  EXPECT_THAT(child.Wait(), ExitedWith(0));
  EXPECT_EQ(queue.Receive(3), "late");
}

TEST(SysvMsg, RemovalWakesWithEidrm) {
  Queue queue;
  ForkedChild child([&] { CHILD_CHECK(queue.Receive(0, 0) == "[EIDRM]"); });
  AwaitSleeping(child.pid());
  ASSERT_THAT(queue.Remove(), SyscallSucceeds());
  EXPECT_THAT(child.Wait(), ExitedWith(0));
}

TEST(SysvMsg, KeysFindQueues) {
  constexpr key_t kKey = 0x52440003;
  Queue queue(kKey, IPC_CREAT | IPC_EXCL | 0600);
  ASSERT_GE(queue.id(), 0);
  EXPECT_THAT(msgget(kKey, 0), SyscallSucceedsWithValue(queue.id()));
  EXPECT_THAT(msgget(kKey, IPC_CREAT | IPC_EXCL), SyscallFailsWith(EEXIST));
  EXPECT_THAT(msgget(kKey + 1, 0), SyscallFailsWith(ENOENT));
}

TEST(SysvMsg, StatSetInfoProc) {
  Queue queue;
  queue.Send(1, "abc");
  msqid_ds status = queue.Status();
  EXPECT_EQ(status.msg_qnum, 1u);
  EXPECT_EQ(status.msg_qbytes, 16384u);
  EXPECT_EQ(status.msg_lspid, getpid());
  status.msg_qbytes = 100;
  ASSERT_THAT(msgctl(queue.id(), IPC_SET, &status), SyscallSucceeds());
  EXPECT_THAT(queue.Send(1, std::string(98, 'x')), SyscallFailsWith(EAGAIN));
  msginfo info{};
  ASSERT_THAT(msgctl(0, IPC_INFO, reinterpret_cast<msqid_ds*>(&info)), SyscallSucceeds());
  EXPECT_EQ(info.msgmax, 8192);
  EXPECT_THAT(ReadFile("/proc/sysvipc/msg"),
              testing::HasSubstr(" " + std::to_string(queue.id()) + " "));
}

}  // namespace
}  // namespace redoubt::test
