// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/strace/format.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cstring>

#include "abi/linux/signal.h"
#include "abi/linux/time.h"
#include "gtest/gtest.h"
#include "sentry/syscalls/strace/names.h"
#include "sentry/syscalls/strace/strace.h"

namespace redoubt::syscalls::strace {
namespace {

// One page at kBase; everything else faults.
class FakeMemory : public vfs::UserMemory {
 public:
  static constexpr uint64_t kBase = 0x10000;
  Result<void> CopyIn(uint64_t address, std::span<std::byte> buffer) override {
    if (address < kBase || address + buffer.size() > kBase + sizeof(page_)) return Errno(EFAULT);
    memcpy(buffer.data(), page_ + (address - kBase), buffer.size());
    return {};
  }
  Result<void> CopyOut(uint64_t, std::span<const std::byte>) override { return Errno(EFAULT); }

  template <typename T>
  uint64_t Put(size_t offset, const T& value) {
    memcpy(page_ + offset, &value, sizeof(value));
    return kBase + offset;
  }
  uint64_t PutText(size_t offset, std::string_view text) {
    memcpy(page_ + offset, text.data(), text.size());
    return kBase + offset;
  }

 private:
  char page_[4096] = {};
};

std::string Format(FakeMemory& memory, ArgumentKind kind, uint64_t value, uint64_t count = 0) {
  return FormatArgument(memory, {.kind = kind, .structure = StructKind::kOther, .size = 4}, value,
                        count);
}

TEST(StraceFormat, Paths) {
  FakeMemory memory;
  EXPECT_EQ(Format(memory, ArgumentKind::kPath, memory.PutText(0, "/etc/passwd")),
            "\"/etc/passwd\"");
  EXPECT_EQ(Format(memory, ArgumentKind::kPath, 0), "NULL");
  EXPECT_EQ(Format(memory, ArgumentKind::kPath, 0x999), "0x999");
  EXPECT_EQ(Format(memory, ArgumentKind::kPath, memory.PutText(100, "a\n\"b\x01")),
            "\"a\\n\\\"b\\1\"");
}

TEST(StraceFormat, AStringThatRunsIntoABadPageIsCut) {
  FakeMemory memory;
  EXPECT_EQ(Format(memory, ArgumentKind::kPath, memory.PutText(4093, "abc")), "\"abc\"...");
}

TEST(StraceFormat, LongBuffersAreCut) {
  FakeMemory memory;
  std::string text = Format(memory, ArgumentKind::kBytesIn, FakeMemory::kBase, 4000);
  EXPECT_LT(text.size(), 300U);
  EXPECT_TRUE(text.ends_with("..."));
}

TEST(StraceFormat, HostileStringListsEnd) {
  FakeMemory memory;
  uint64_t text = memory.PutText(2048, "x");
  for (size_t i = 0; i < 100; ++i) memory.Put(i * 8, text);
  std::string list = Format(memory, ArgumentKind::kStringList, FakeMemory::kBase);
  EXPECT_TRUE(list.ends_with("...]")) << list;
}

TEST(StraceFormat, Flags) {
  EXPECT_EQ(FormatNamed(ArgumentKind::kOpenFlags, O_WRONLY | O_CREAT | O_CLOEXEC),
            "O_WRONLY|O_CREAT|O_CLOEXEC");
  EXPECT_EQ(FormatNamed(ArgumentKind::kProtection, PROT_READ | PROT_EXEC), "PROT_READ|PROT_EXEC");
  EXPECT_EQ(FormatNamed(ArgumentKind::kMapFlags, MAP_PRIVATE | MAP_ANONYMOUS | 1ULL << 40),
            "MAP_PRIVATE|MAP_ANONYMOUS|0x10000000000");
  EXPECT_EQ(FormatNamed(ArgumentKind::kCloneFlags, CLONE_VM | CLONE_VFORK | SIGCHLD),
            "CLONE_VM|CLONE_VFORK|SIGCHLD");
  EXPECT_EQ(FormatNamed(ArgumentKind::kDirFd, static_cast<uint64_t>(AT_FDCWD)), "AT_FDCWD");
  EXPECT_EQ(FormatNamed(ArgumentKind::kFutexOperation, 128), "FUTEX_WAIT_PRIVATE");
}

TEST(StraceFormat, Signals) {
  EXPECT_EQ(SignalName(SIGUSR1), "SIGUSR1");
  EXPECT_EQ(SignalName(34), "SIGRT_2");
  EXPECT_EQ(SignalName(0), "0");
  EXPECT_EQ(SignalSetText(abi::SignalSet::OfAll(SIGINT, SIGCHLD).bits()), "[INT CHLD]");
  EXPECT_EQ(SignalSetText(~abi::kUnblockableSignals.bits()), "~[KILL STOP]");
}

TEST(Tracer, ShowsNamesResultsAndErrors) {
  FakeMemory memory;
  const ArgumentShape shapes[] = {{.kind = ArgumentKind::kDirFd, .size = 4},
                                  {.kind = ArgumentKind::kPath},
                                  {.kind = ArgumentKind::kOpenFlags, .size = 4}};
  Call call;
  call.name = "openat";
  call.shapes = shapes;
  call.arguments = {static_cast<uint64_t>(AT_FDCWD), memory.PutText(0, "/x"), O_RDONLY};
  EXPECT_EQ(Tracer(memory, 12, call).Finished(3UL),
            "[   12] openat(AT_FDCWD, \"/x\", O_RDONLY) = 3");
  EXPECT_EQ(Tracer(memory, 12, call).Finished(Errno(ENOENT)),
            "[   12] openat(AT_FDCWD, \"/x\", O_RDONLY) = -1 ENOENT (No such file or directory)");
  EXPECT_EQ(Tracer(memory, 12, call).Finished(Errno(512)),
            "[   12] openat(AT_FDCWD, \"/x\", O_RDONLY) = ? ERESTARTSYS");
}

TEST(Tracer, ReadsOutArgumentsWhenTheCallEnds) {
  FakeMemory memory;
  const ArgumentShape shapes[] = {{.kind = ArgumentKind::kFd, .size = 4},
                                  {.kind = ArgumentKind::kBytesOut},
                                  {.kind = ArgumentKind::kUnsigned, .size = 8}};
  Call call;
  call.name = "read";
  call.shapes = shapes;
  call.arguments = {0, FakeMemory::kBase, 512};
  Tracer tracer(memory, 1, call);
  memory.PutText(0, "hi");
  EXPECT_EQ(tracer.Finished(2UL), "[    1] read(0, \"hi\", 512) = 2");
  EXPECT_EQ(Tracer(memory, 1, call).Finished(Errno(EINTR)),
            "[    1] read(0, 0x10000, 512) = -1 EINTR (Interrupted system call)");
}

TEST(Tracer, UnknownCallsShowSixWords) {
  FakeMemory memory;
  Call call;
  call.number = 0x4000'0001;
  call.arguments = {1, 2};
  EXPECT_EQ(
      Tracer(memory, 1, call).Finished(Errno(ENOSYS)),
      "[    1] syscall_0x40000001(0x1, 0x2, NULL, NULL, NULL, NULL) = -1 ENOSYS (Function not "
      "implemented)");
}

}  // namespace
}  // namespace redoubt::syscalls::strace
