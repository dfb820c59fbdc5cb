// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/stub_image.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/host/privileges.h"
#include "base/host/syscall.h"
#include "base/owned_fd.h"
#include "platform/ptrace/stub_bytes.h"
#include "platform/ptrace/stub_layout.h"

namespace redoubt::platform::ptrace {
namespace {

constexpr uint64_t kPageSize = 4096;
constexpr int kTransferFd = 0;
constexpr int kExecutableFd = 1;
constexpr int kErrorFd = 2;

template <typename T>
T ReadStub(size_t offset) {
  CHECK(offset + sizeof(T) <= kPtraceStubSize);
  T value;
  std::memcpy(&value, kPtraceStub + offset, sizeof(value));
  return value;
}

StubImage ParseImage() {
  auto header = ReadStub<Elf64_Ehdr>(0);
  StubImage image;
  image.range = {.start = ~uint64_t{0}, .end = 0};
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    auto segment = ReadStub<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
    if (segment.p_type != PT_LOAD) continue;
    uint64_t end = segment.p_vaddr + segment.p_memsz;
    image.range.start = std::min(image.range.start, segment.p_vaddr & ~(kPageSize - 1));
    image.range.end = std::max(image.range.end, (end + kPageSize - 1) & ~(kPageSize - 1));
    if (segment.p_flags & PF_W) image.scratch = segment.p_vaddr;
  }
  CHECK(image.scratch != 0 && image.scratch % kPageSize == 0);
  image.entry = header.e_entry + STUB_PARK;
  image.call = {.start = header.e_entry + STUB_CALL, .end = header.e_entry + STUB_CALL_END};
  image.fork = {.start = header.e_entry + STUB_FORK, .end = header.e_entry + STUB_FORK_END};
  image.thread = {.start = header.e_entry + STUB_THREAD, .end = header.e_entry + STUB_THREAD_END};
  image.name = header.e_entry + STUB_NAME;
  return image;
}

Result<OwnedFd> WriteExecutable() {
  int fd = static_cast<int>(TRY(host::Call([] { return memfd_create("stub", MFD_CLOEXEC); })));
  OwnedFd owned(fd);
  size_t done = 0;
  while (done < kPtraceStubSize) {
    done += TRY(host::Call([&] { return write(fd, kPtraceStub + done, kPtraceStubSize - done); }));
  }
  return owned;
}

// Puts the three descriptors at their places. They are moved up first, out of each other's way.
bool ArrangeDescriptors(int transfer, int executable, int error) {
  int fds[] = {transfer, executable, error};
  for (int& fd : fds) {
    fd = fcntl(fd, F_DUPFD, 16);
    if (fd < 0) return false;
  }
  return dup2(fds[0], kTransferFd) == kTransferFd &&
         dup3(fds[1], kExecutableFd, O_CLOEXEC) == kExecutableFd &&
         dup3(fds[2], kErrorFd, O_CLOEXEC) == kErrorFd &&
         syscall(SYS_close_range, kErrorFd + 1, ~0u, 0) == 0;
}

// Signals are for the tracer: blocked all but SIGUSR1, which interrupts a tracee and must not harm
// a thread that nobody traces any more. Both settings outlive exec and clone.
bool SettleSignals() {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigset_t mask;
  sigfillset(&mask);
  sigdelset(&mask, SIGUSR1);
  return sigaction(SIGUSR1, &ignore, nullptr) == 0 && sigprocmask(SIG_SETMASK, &mask, nullptr) == 0;
}

[[noreturn]] void RunStub(int transfer, int executable, int error, int parent) {
  char* argv[] = {const_cast<char*>("stub"), nullptr};
  char* envp[] = {nullptr};
  // The parent may have died before the signal was asked for.
  if (ArrangeDescriptors(transfer, executable, error) && SettleSignals() &&
      host::RenounceFuturePrivileges() && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent) {
    syscall(SYS_execveat, kExecutableFd, "", argv, envp, AT_EMPTY_PATH);
  }
  int failure = errno;
  [[maybe_unused]] ssize_t written = write(kErrorFd, &failure, sizeof(failure));
  _exit(127);
}

}  // namespace

const StubImage& TheStubImage() {
  static const StubImage image = ParseImage();
  return image;
}

absl::StatusOr<int> StartStub(int transfer_fd) {
  Result<OwnedFd> executable = WriteExecutable();
  if (!executable.ok()) return absl::InternalError("cannot make the stub's memory file");
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return absl::InternalError("cannot make a pipe");
  OwnedFd read_end(pipe_fds[0]), write_end(pipe_fds[1]);
  int parent = getpid();
  pid_t pid = fork();
  if (pid < 0) return absl::InternalError(absl::StrCat("cannot fork a stub: ", strerror(errno)));
  if (pid == 0) RunStub(transfer_fd, executable->get(), write_end.get(), parent);
  write_end.Reset();
  // Closed by a successful exec; otherwise it tells why.
  int failure = 0;
  auto size = host::Call([&] { return read(read_end.get(), &failure, sizeof(failure)); });
  if (size.ok() && *size == 0) return pid;
  waitpid(pid, nullptr, 0);
  return absl::InternalError(absl::StrCat("cannot start a stub: ", strerror(failure)));
}

}  // namespace redoubt::platform::ptrace
