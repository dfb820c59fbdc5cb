// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/aio_abi.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "test/util/file_descriptor.h"
#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"
#include "test/util/temp_path.h"
#include "test/util/thread.h"
#include "test/util/timing.h"

namespace redoubt::test {
namespace {

long IoSetup(unsigned requests, aio_context_t* context) {
  return syscall(SYS_io_setup, requests, context);
}
long Destroy(aio_context_t context) { return syscall(SYS_io_destroy, context); }
long GetEvents(aio_context_t context, long least, long most, io_event* events,
               timespec* timeout = nullptr) {
  return syscall(SYS_io_getevents, context, least, most, events, timeout);
}

class AioTest : public ::testing::Test {
 protected:
  AioTest() : file_(open(dir_.File("a", "0123456789").c_str(), O_RDWR)) {
    if (IoSetup(8, &context_) != 0) abort();
  }
  ~AioTest() override { Destroy(context_); }

  iocb Request(int command, void* buffer, size_t size, off_t offset) const {
    iocb request = {};
    request.aio_lio_opcode = static_cast<uint16_t>(command);
    request.aio_fildes = static_cast<uint32_t>(file_.get());
    request.aio_buf = reinterpret_cast<uintptr_t>(buffer);
    request.aio_nbytes = size;
    request.aio_offset = offset;
    request.aio_data = 77;
    return request;
  }
  long Submit(iocb& request) const {
    iocb* list[] = {&request};
    return syscall(SYS_io_submit, context_, 1, list);
  }

  TempDir dir_;
  FileDescriptor file_;
  aio_context_t context_ = 0;
};

TEST_F(AioTest, ReadAndWrite) {
  char buffer[4] = {};
  iocb read = Request(IOCB_CMD_PREAD, buffer, 4, 3);
  ASSERT_THAT(Submit(read), SyscallSucceedsWithValue(1));
  io_event event = {};
  ASSERT_THAT(GetEvents(context_, 1, 1, &event), SyscallSucceedsWithValue(1));
  EXPECT_EQ(event.data, 77u);
  EXPECT_EQ(event.obj, reinterpret_cast<uintptr_t>(&read));
  EXPECT_EQ(event.res, 4);
  EXPECT_EQ(std::string(buffer, 4), "3456");
  iocb write = Request(IOCB_CMD_PWRITE, buffer, 4, 8);
  ASSERT_THAT(Submit(write), SyscallSucceedsWithValue(1));
  ASSERT_THAT(GetEvents(context_, 1, 1, &event), SyscallSucceedsWithValue(1));
  EXPECT_EQ(event.res, 4);
  EXPECT_EQ(ReadFile(dir_.Path("a")), "012345673456");
  EXPECT_EQ(lseek(file_.get(), 0, SEEK_CUR), 0);
}

TEST_F(AioTest, Vectors) {
  char first[2], second[3];
  iovec vector[] = {{first, 2}, {second, 3}};
  iocb read = Request(IOCB_CMD_PREADV, vector, 2, 1);
  ASSERT_THAT(Submit(read), SyscallSucceedsWithValue(1));
  io_event event = {};
  ASSERT_THAT(GetEvents(context_, 1, 1, &event), SyscallSucceedsWithValue(1));
  EXPECT_EQ(event.res, 5);
  EXPECT_EQ(std::string(second, 3), "345");
}

TEST_F(AioTest, SyncIsARequest) {
  iocb sync = Request(IOCB_CMD_FDSYNC, nullptr, 0, 0);
  ASSERT_THAT(Submit(sync), SyscallSucceedsWithValue(1));
  io_event event = {};
  ASSERT_THAT(GetEvents(context_, 1, 1, &event), SyscallSucceedsWithValue(1));
  EXPECT_EQ(event.res, 0);
}

TEST_F(AioTest, ErrorsOfTheTransferAreEvents) {
  iocb read = Request(IOCB_CMD_PREAD, nullptr, 4, 0);
  ASSERT_THAT(Submit(read), SyscallSucceedsWithValue(1));
  io_event event = {};
  ASSERT_THAT(GetEvents(context_, 1, 1, &event), SyscallSucceedsWithValue(1));
  EXPECT_EQ(event.res, -EFAULT);
}

TEST_F(AioTest, BadRequestsAreRefusedAtOnce) {
  char buffer[4];
  iocb request = Request(99, buffer, 4, 0);
  EXPECT_THAT(Submit(request), SyscallFailsWith(EINVAL));
  request = Request(IOCB_CMD_PREAD, buffer, 4, 0);
  request.aio_fildes = 9999;
  EXPECT_THAT(Submit(request), SyscallFailsWith(EBADF));
  FileDescriptor read_only(open(dir_.Path("a").c_str(), O_RDONLY));
  request = Request(IOCB_CMD_PWRITE, buffer, 4, 0);
  request.aio_fildes = static_cast<uint32_t>(read_only.get());
  EXPECT_THAT(Submit(request), SyscallFailsWith(EBADF));
  request = Request(IOCB_CMD_PREAD, buffer, 4, 0);
  request.aio_flags = IOCB_FLAG_RESFD;
  request.aio_resfd = static_cast<uint32_t>(file_.get());
  EXPECT_THAT(Submit(request), SyscallFailsWith(EINVAL));
  EXPECT_THAT(syscall(SYS_io_submit, context_, 1, nullptr), SyscallFailsWith(EFAULT));
  EXPECT_THAT(syscall(SYS_io_submit, context_, -1L, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(syscall(SYS_io_submit, context_, 0L, nullptr), SyscallSucceedsWithValue(0));
}

TEST_F(AioTest, TheFirstBadRequestEndsTheList) {
  char buffer[4];
  iocb good = Request(IOCB_CMD_PREAD, buffer, 4, 0), bad = Request(99, buffer, 4, 0);
  iocb* list[] = {&good, &bad, &good};
  EXPECT_THAT(syscall(SYS_io_submit, context_, 3, list), SyscallSucceedsWithValue(1));
}

TEST_F(AioTest, EventfdCountsEvents) {
  FileDescriptor counter(eventfd(0, EFD_NONBLOCK));
  char buffer[4];
  iocb request = Request(IOCB_CMD_PREAD, buffer, 4, 0);
  request.aio_flags = IOCB_FLAG_RESFD;
  request.aio_resfd = static_cast<uint32_t>(counter.get());
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Submit(request), SyscallSucceedsWithValue(1));
  io_event events[3];
  ASSERT_THAT(GetEvents(context_, 3, 3, events), SyscallSucceedsWithValue(3));
  uint64_t count = 0;
  ASSERT_THAT(read(counter.get(), &count, 8), SyscallSucceedsWithValue(8));
  EXPECT_EQ(count, 3u);
}

TEST_F(AioTest, GetEventsTimesOut) {
  io_event event;
  timespec none = {}, some = ToTimespec(milliseconds(20));
  EXPECT_THAT(GetEvents(context_, 1, 1, &event, &none), SyscallSucceedsWithValue(0));
  Stopwatch watch;
  EXPECT_THAT(GetEvents(context_, 1, 1, &event, &some), SyscallSucceedsWithValue(0));
  EXPECT_GE(watch.Elapsed(), milliseconds(20));
  EXPECT_THAT(GetEvents(context_, 0, 1, &event), SyscallSucceedsWithValue(0));
  EXPECT_THAT(GetEvents(context_, 2, 1, &event), SyscallFailsWith(EINVAL));
  EXPECT_THAT(GetEvents(context_, -1, 1, &event), SyscallFailsWith(EINVAL));
}

TEST_F(AioTest, WaiterIsWoken) {
  long got = 0;
  io_event event;
  TestThread waiter([&] { got = GetEvents(context_, 1, 1, &event); });
  AwaitSleeping(getpid(), waiter.tid());
  char buffer[4];
  iocb request = Request(IOCB_CMD_PREAD, buffer, 4, 0);
  ASSERT_THAT(Submit(request), SyscallSucceedsWithValue(1));
  waiter.Join();
  EXPECT_EQ(got, 1);
}

TEST_F(AioTest, ContextsAreChecked) {
  aio_context_t other = 1;
  EXPECT_THAT(IoSetup(1, &other), SyscallFailsWith(EINVAL));
  other = 0;
  EXPECT_THAT(IoSetup(0, &other), SyscallFailsWith(EINVAL));
  EXPECT_THAT(IoSetup(1, nullptr), SyscallFailsWith(EFAULT));
  EXPECT_THAT(Destroy(0), SyscallFailsWith(EINVAL));
  ASSERT_THAT(IoSetup(1, &other), SyscallSucceeds());
  EXPECT_NE(other, 0u);
  ASSERT_THAT(Destroy(other), SyscallSucceeds());
  EXPECT_THAT(Destroy(other), SyscallFailsWith(EINVAL));
  io_event event;
  EXPECT_THAT(GetEvents(other, 0, 1, &event), SyscallFailsWith(EINVAL));
}

TEST_F(AioTest, ChildHasNoContext) {
  EXPECT_THAT(InForkedProcess([&] {
                io_event event;
                CHILD_CHECK_FAILS(GetEvents(context_, 0, 1, &event), EINVAL);
              }),
              ExitedWith(0));
}

TEST_F(AioTest, FinishedRequestsCannotBeCancelled) {
  char buffer[4];
  iocb request = Request(IOCB_CMD_PREAD, buffer, 4, 0);
  ASSERT_THAT(Submit(request), SyscallSucceedsWithValue(1));
  io_event event;
  ASSERT_THAT(GetEvents(context_, 1, 1, &event), SyscallSucceedsWithValue(1));
  EXPECT_THAT(syscall(SYS_io_cancel, context_, &request, &event), SyscallFailsWith(EINVAL));
}

TEST_F(AioTest, FullContextIsEagain) {
  char buffer[1];
  iocb request = Request(IOCB_CMD_PREAD, buffer, 1, 0);
  long result = 0;
  int submitted = 0;
  while (submitted < 100000 && (result = Submit(request)) == 1) ++submitted;
  EXPECT_THAT(result, SyscallFailsWith(EAGAIN));
  EXPECT_GE(submitted, 8);
}

TEST(IoUring, IsMissingAsAnOldKernelOrRefused) {
  char parameters[120] = {};
  long fd = syscall(SYS_io_uring_setup, 1, parameters);
  if (fd >= 0) {
    close(static_cast<int>(fd));
    return;
  }
  EXPECT_THAT(errno, testing::AnyOf(ENOSYS, EPERM));
}

}  // namespace
}  // namespace redoubt::test
