// SPDX-License-Identifier: Apache-2.0
//
// What every platform must do, and what only this one has.
#include "platform/ptrace/ptrace_platform.h"

#include <dirent.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <set>
#include <string>

#include "platform/conformance/platform_conformance.h"
#include "platform/ptrace/host_call.h"
#include "platform/ptrace/stub_image.h"

namespace redoubt::platform::ptrace {
namespace {

using conformance::GuestThread;
using conformance::kData;
using conformance::kPage;
using conformance::NewGuest;
using conformance::ThePlatform;
using Kind = Event::Kind;

GUEST_CODE(jump_to_rdx, R"(
  jmp *%rdx
)")
GUEST_CODE(vsyscall_time, R"(
  xor %edi, %edi
  mov $0xffffffffff600400, %rax
  call *%rax
  mov $1001, %eax
  syscall
)")
GUEST_CODE(call, R"(
  mov $1001, %eax
  syscall
  ud2
)")

Event EventAt(uint64_t rip, uint64_t rax) {
  auto context = NewGuest(jump_to_rdx());
  context->registers().rdx = rip;
  context->registers().rax = rax;
  GuestThread guest(ThePlatform(), std::move(context));
  return guest.Next();
}

// Descriptors of process `pid`, which may be stopped.
std::set<std::string> Descriptors(int pid) {
  std::set<std::string> names;
  DIR* dir = opendir(("/proc/" + std::to_string(pid) + "/fd").c_str());
  if (dir == nullptr) return names;
  while (dirent* entry = readdir(dir)) {
    if (entry->d_name[0] != '.') names.insert(entry->d_name);
  }
  closedir(dir);
  return names;
}

TEST(PtraceWall, TheStubsOwnCallSitesAreGuestCallsToAGuest) {
  const StubImage& image = TheStubImage();
  for (uint64_t site : {image.call.start, image.fork.start, image.thread.start}) {
    Event event = EventAt(site, SYS_fork);
    ASSERT_EQ(event.kind, Kind::kSyscall);
    EXPECT_EQ(event.syscall_number, static_cast<uint64_t>(SYS_fork));
  }
  Event event = EventAt(image.entry, 0);
  ASSERT_EQ(event.kind, Kind::kSyscall);
  EXPECT_EQ(event.syscall_number, static_cast<uint64_t>(SYS_pause));
}

TEST(PtraceWall, TheStubsTrapsAreGuestFaultsToAGuest) {
  Event event = EventAt(TheStubImage().call.end - 1, 0);
  ASSERT_EQ(event.kind, Kind::kFault);
  EXPECT_EQ(event.signal, SIGTRAP);
}

TEST(PtraceWall, TheVsyscallPageGivesTheTimeOrAFault) {
  GuestThread guest(ThePlatform(), NewGuest(vsyscall_time()));
  Event event = guest.Next();
  EXPECT_TRUE(event.kind == Kind::kSyscall || event.signal == SIGSEGV);
}

TEST(PtraceWall, AStubHasOnlyTheTransferSocket) {
  auto context = NewGuest(call());
  int pid = context->address_space()->host_pid();
  if (Descriptors(pid).empty()) GTEST_SKIP() << "/proc shows another PID namespace";
  EXPECT_EQ(Descriptors(pid), std::set<std::string>{"0"});
  int fd = memfd_create("file", MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(fd, kPage), 0);
  ASSERT_TRUE(context->MapFile(0, kPage, PROT_READ, MAP_SHARED, fd, 0).ok());
  EXPECT_FALSE(context->MapFile(1, kPage, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0).ok());
  close(fd);
  EXPECT_EQ(Descriptors(pid), std::set<std::string>{"0"});
  auto child = context->Clone(false);
  ASSERT_TRUE(child.ok());
  EXPECT_EQ(Descriptors((*child)->address_space()->host_pid()), std::set<std::string>{"0"});
}

TEST(PtraceFile, ADeadStubsFileGoesToNobodyElse) {
  auto dead = NewGuest(call());
  auto alive = NewGuest(call());
  ASSERT_EQ(kill(dead->address_space()->host_pid(), SIGKILL), 0);
  int wrong = memfd_create("wrong", MFD_CLOEXEC), right = memfd_create("right", MFD_CLOEXEC);
  uint64_t marks[] = {1, 2};
  ASSERT_EQ(pwrite(wrong, &marks[0], 8, 0), 8);
  ASSERT_EQ(pwrite(right, &marks[1], 8, 0), 8);
  EXPECT_FALSE(dead->MapFile(0, kPage, PROT_READ, MAP_SHARED, wrong, 0).ok());
  auto mapped = alive->MapFile(0, kPage, PROT_READ, MAP_SHARED, right, 0);
  ASSERT_TRUE(mapped.ok());
  EXPECT_EQ(conformance::Peek<uint64_t>(*alive->address_space(), *mapped), 2u);
  close(wrong);
  close(right);
}

TEST(PtraceCalls, EveryRequiredCallHasAReason) {
  for (const host::AllowedCall& call : ThePlatform().RequiredHostCalls()) {
    EXPECT_STRNE(call.reason, "") << call.number;
  }
}

TEST(PtraceCalls, OnlyWaitingFutexCallsMayBlock) {
  auto futex = [](uint64_t operation) {
    return HostCallRequest{.number = SYS_futex, .arguments = {kData, operation}};
  };
  EXPECT_TRUE(MayBlock(futex(0)));         // FUTEX_WAIT
  EXPECT_TRUE(MayBlock(futex(9 | 128)));   // FUTEX_WAIT_BITSET, private
  EXPECT_FALSE(MayBlock(futex(1 | 128)));  // FUTEX_WAKE, private
  EXPECT_FALSE(MayBlock({.number = SYS_mmap, .arguments = {}}));
  EXPECT_TRUE(MayBlock({.number = SYS_clock_nanosleep, .arguments = {}}));
}

}  // namespace
}  // namespace redoubt::platform::ptrace

int main(int argc, char** argv) {
  return redoubt::platform::conformance::Main(argc, argv, redoubt::platform::PtracePlatformType());
}
