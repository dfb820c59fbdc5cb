// SPDX-License-Identifier: Apache-2.0
//
// Every pointer that a system call reads or writes may be bad: the answer is EFAULT, never a crash.

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "test/util/file_descriptor.h"
#include "test/util/syscall_matchers.h"

namespace redoubt::test {
namespace {

// A call with the bad pointer put in.
struct Case {
  const char* name;
  std::function<long(uintptr_t bad)> call;
};

class BadPointerTest : public ::testing::Test {
 protected:
  static uintptr_t Closed() {
    static void* page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return reinterpret_cast<uintptr_t>(page);
  }

  // Never mapped, mapped without access, not canonical, in the kernel's half.
  const std::vector<uintptr_t> bad_ = {8, Closed(), uintptr_t{1} << 62, 0xffff'8000'0000'0000,
                                       UINTPTR_MAX - 7};

  void Run(const std::vector<Case>& cases) {
    for (const Case& each : cases) {
      for (const uintptr_t bad : bad_) {
        EXPECT_THAT(each.call(bad), SyscallFailsWith(EFAULT))
            << each.name << " at " << std::hex << bad;
      }
    }
  }

  Pipe pipe_{O_NONBLOCK};
  SocketPair sockets_;
};

TEST_F(BadPointerTest, Paths) {
  Run({
      {"open", [](uintptr_t p) { return syscall(SYS_open, p, O_RDONLY); }},
      {"openat", [](uintptr_t p) { return syscall(SYS_openat, AT_FDCWD, p, O_RDONLY); }},
      {"stat",
       [](uintptr_t p) {
         struct stat st;
         return syscall(SYS_stat, p, &st);
       }},
      {"lstat",
       [](uintptr_t p) {
         struct stat st;
         return syscall(SYS_lstat, p, &st);
       }},
      {"access", [](uintptr_t p) { return syscall(SYS_access, p, F_OK); }},
      {"mkdir", [](uintptr_t p) { return syscall(SYS_mkdir, p, 0700); }},
      {"rmdir", [](uintptr_t p) { return syscall(SYS_rmdir, p); }},
      {"unlink", [](uintptr_t p) { return syscall(SYS_unlink, p); }},
      {"rename from", [](uintptr_t p) { return syscall(SYS_rename, p, "/x"); }},
      {"rename to", [](uintptr_t p) { return syscall(SYS_rename, "/tmp", p); }},
      {"link", [](uintptr_t p) { return syscall(SYS_link, p, "/x"); }},
      {"symlink", [](uintptr_t p) { return syscall(SYS_symlink, p, "/x"); }},
      {"readlink",
       [](uintptr_t p) {
         char b[8];
         return syscall(SYS_readlink, p, b, 8);
       }},
      {"chmod", [](uintptr_t p) { return syscall(SYS_chmod, p, 0700); }},
      {"truncate", [](uintptr_t p) { return syscall(SYS_truncate, p, 0); }},
      {"chdir", [](uintptr_t p) { return syscall(SYS_chdir, p); }},
      {"execve", [](uintptr_t p) { return syscall(SYS_execve, p, nullptr, nullptr); }},
      {"utimensat", [](uintptr_t p) { return syscall(SYS_utimensat, AT_FDCWD, p, nullptr, 0); }},
      {"statfs",
       [](uintptr_t p) {
         char b[256];
         return syscall(SYS_statfs, p, b);
       }},
  });
}

TEST_F(BadPointerTest, FileBuffers) {
  FileDescriptor zero(open("/dev/zero", O_RDONLY));
  FileDescriptor directory(open("/", O_RDONLY));
  ASSERT_THAT(write(pipe_.writer.get(), "abc", 3), SyscallSucceedsWithValue(3));
  ASSERT_THAT(write(sockets_.first.get(), "abc", 3), SyscallSucceedsWithValue(3));
  Run({
      {"read device", [&](uintptr_t p) { return syscall(SYS_read, zero.get(), p, 8); }},
      {"read pipe", [&](uintptr_t p) { return syscall(SYS_read, pipe_.reader.get(), p, 8); }},
      {"write pipe", [&](uintptr_t p) { return syscall(SYS_write, pipe_.writer.get(), p, 8); }},
      {"readv", [&](uintptr_t p) { return syscall(SYS_readv, zero.get(), p, 1); }},
      {"writev", [&](uintptr_t p) { return syscall(SYS_writev, pipe_.writer.get(), p, 1); }},
      {"getdents64",
       [&](uintptr_t p) { return syscall(SYS_getdents64, directory.get(), p, 4096); }},
      {"stat", [](uintptr_t p) { return syscall(SYS_stat, "/", p); }},
      {"fstat", [](uintptr_t p) { return syscall(SYS_fstat, 0, p); }},
      {"newfstatat", [](uintptr_t p) { return syscall(SYS_newfstatat, AT_FDCWD, "/", p, 0); }},
      {"statx",
       [](uintptr_t p) { return syscall(SYS_statx, AT_FDCWD, "/", 0, STATX_BASIC_STATS, p); }},
      {"getcwd", [](uintptr_t p) { return syscall(SYS_getcwd, p, 4096); }},
      {"readlink", [](uintptr_t p) { return syscall(SYS_readlink, "/proc/self", p, 64); }},
      {"pipe", [](uintptr_t p) { return syscall(SYS_pipe, p); }},
      {"fcntl GETLK", [&](uintptr_t p) { return syscall(SYS_fcntl, zero.get(), F_GETLK, p); }},
      {"ioctl FIONREAD",
       [&](uintptr_t p) { return syscall(SYS_ioctl, pipe_.reader.get(), 0x541b, p); }},
      {"utimensat times",
       [](uintptr_t p) { return syscall(SYS_utimensat, AT_FDCWD, "/dev/null", p, 0); }},
  });
  char buffer[8];
  EXPECT_THAT(read(pipe_.reader.get(), buffer, 8), SyscallSucceedsWithValue(3));  // Still there.
}

TEST_F(BadPointerTest, Polling) {
  FileDescriptor epoll(epoll_create1(0));
  epoll_event event = {.events = EPOLLOUT, .data = {}};
  ASSERT_THAT(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, pipe_.writer.get(), &event), SyscallSucceeds());
  Run({
      {"poll", [](uintptr_t p) { return syscall(SYS_poll, p, 1, 0); }},
      {"ppoll timeout", [](uintptr_t p) { return syscall(SYS_ppoll, nullptr, 0, p, nullptr, 8); }},
      {"select", [](uintptr_t p) { return syscall(SYS_select, 64, p, nullptr, nullptr, nullptr); }},
      {"select timeout",
       [](uintptr_t p) { return syscall(SYS_select, 0, nullptr, nullptr, nullptr, p); }},
      {"epoll_ctl",
       [&](uintptr_t p) {
         return syscall(SYS_epoll_ctl, epoll.get(), EPOLL_CTL_ADD, pipe_.reader.get(), p);
       }},
      {"epoll_wait", [&](uintptr_t p) { return syscall(SYS_epoll_wait, epoll.get(), p, 1, 0); }},
  });
}

TEST_F(BadPointerTest, SignalsAndTime) {
  Run({
      {"rt_sigaction new",
       [](uintptr_t p) { return syscall(SYS_rt_sigaction, 10, p, nullptr, 8); }},
      {"rt_sigaction old",
       [](uintptr_t p) { return syscall(SYS_rt_sigaction, 10, nullptr, p, 8); }},
      {"rt_sigprocmask", [](uintptr_t p) { return syscall(SYS_rt_sigprocmask, 0, p, nullptr, 8); }},
      {"rt_sigprocmask old",
       [](uintptr_t p) { return syscall(SYS_rt_sigprocmask, 0, nullptr, p, 8); }},
      {"rt_sigpending", [](uintptr_t p) { return syscall(SYS_rt_sigpending, p, 8); }},
      {"rt_sigsuspend", [](uintptr_t p) { return syscall(SYS_rt_sigsuspend, p, 8); }},
      {"rt_sigtimedwait",
       [](uintptr_t p) { return syscall(SYS_rt_sigtimedwait, p, nullptr, nullptr, 8); }},
      {"sigaltstack new", [](uintptr_t p) { return syscall(SYS_sigaltstack, p, nullptr); }},
      {"sigaltstack old", [](uintptr_t p) { return syscall(SYS_sigaltstack, nullptr, p); }},
      {"rt_sigqueueinfo", [](uintptr_t p) { return syscall(SYS_rt_sigqueueinfo, getpid(), 0, p); }},
      {"nanosleep", [](uintptr_t p) { return syscall(SYS_nanosleep, p, nullptr); }},
      {"clock_gettime", [](uintptr_t p) { return syscall(SYS_clock_gettime, 0, p); }},
      {"clock_getres", [](uintptr_t p) { return syscall(SYS_clock_getres, 0, p); }},
      {"gettimeofday", [](uintptr_t p) { return syscall(SYS_gettimeofday, p, nullptr); }},
      {"time", [](uintptr_t p) { return syscall(SYS_time, p); }},
      {"setitimer", [](uintptr_t p) { return syscall(SYS_setitimer, 0, p, nullptr); }},
      {"getitimer", [](uintptr_t p) { return syscall(SYS_getitimer, 0, p); }},
      {"timer_create",
       [](uintptr_t p) { return syscall(SYS_timer_create, CLOCK_MONOTONIC, nullptr, p); }},
      {"times", [](uintptr_t p) { return syscall(SYS_times, p); }},
  });
}

TEST_F(BadPointerTest, Processes) {
  Run({
      {"clone3", [](uintptr_t p) { return syscall(SYS_clone3, p, 88); }},
      {"getrlimit", [](uintptr_t p) { return syscall(SYS_getrlimit, 7, p); }},
      {"setrlimit", [](uintptr_t p) { return syscall(SYS_setrlimit, 7, p); }},
      {"prlimit64", [](uintptr_t p) { return syscall(SYS_prlimit64, 0, 7, nullptr, p); }},
      {"getrusage", [](uintptr_t p) { return syscall(SYS_getrusage, 0, p); }},
      {"uname", [](uintptr_t p) { return syscall(SYS_uname, p); }},
      {"sysinfo", [](uintptr_t p) { return syscall(SYS_sysinfo, p); }},
      {"getrandom", [](uintptr_t p) { return syscall(SYS_getrandom, p, 8, 0); }},
      {"getresuid", [](uintptr_t p) { return syscall(SYS_getresuid, p, p, p); }},
      {"getresgid", [](uintptr_t p) { return syscall(SYS_getresgid, p, p, p); }},
      {"capget", [](uintptr_t p) { return syscall(SYS_capget, p, p); }},
      {"prctl GET_NAME", [](uintptr_t p) { return syscall(SYS_prctl, 16, p); }},
      {"prctl SET_NAME", [](uintptr_t p) { return syscall(SYS_prctl, 15, p); }},
      {"arch_prctl GET_FS", [](uintptr_t p) { return syscall(SYS_arch_prctl, 0x1003, p); }},
      {"sched_getaffinity", [](uintptr_t p) { return syscall(SYS_sched_getaffinity, 0, 128, p); }},
      {"sched_setaffinity", [](uintptr_t p) { return syscall(SYS_sched_setaffinity, 0, 128, p); }},
      {"sched_getparam", [](uintptr_t p) { return syscall(SYS_sched_getparam, 0, p); }},
      {"getcpu", [](uintptr_t p) { return syscall(SYS_getcpu, p, nullptr, nullptr); }},
      {"futex", [](uintptr_t p) { return syscall(SYS_futex, p & ~uintptr_t{3}, 0, 0, nullptr); }},
  });
}

TEST_F(BadPointerTest, Sockets) {
  const int fd = sockets_.first.get();
  ASSERT_THAT(write(sockets_.second.get(), "abc", 3), SyscallSucceedsWithValue(3));
  Run({
      {"socketpair",
       [](uintptr_t p) { return syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, p); }},
      {"sendto", [&](uintptr_t p) { return syscall(SYS_sendto, fd, p, 8, 0, nullptr, 0); }},
      {"sendmsg", [&](uintptr_t p) { return syscall(SYS_sendmsg, fd, p, 0); }},
      {"recvmsg", [&](uintptr_t p) { return syscall(SYS_recvmsg, fd, p, 0); }},
      {"recvfrom",
       [&](uintptr_t p) { return syscall(SYS_recvfrom, fd, p, 8, 0, nullptr, nullptr); }},
      {"connect", [&](uintptr_t p) { return syscall(SYS_connect, fd, p, 16); }},
      {"bind", [&](uintptr_t p) { return syscall(SYS_bind, fd, p, 16); }},
      {"getsockname",
       [&](uintptr_t p) {
         char b[128];
         return syscall(SYS_getsockname, fd, b, p);
       }},
      {"getsockopt",
       [&](uintptr_t p) { return syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, p, p); }},
      {"setsockopt",
       [&](uintptr_t p) { return syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_PASSCRED, p, 4); }},
  });
}

TEST_F(BadPointerTest, StringThatRunsIntoAHole) {
  char* area = static_cast<char*>(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_THAT(munmap(area + 4096, 4096), SyscallSucceeds());
  area[4095] = 'x';
  EXPECT_THAT(syscall(SYS_open, area + 4095, O_RDONLY), SyscallFailsWith(EFAULT));
  // With its end just before the hole it is whole.
  area[4094] = '/';
  area[4095] = '\0';
  EXPECT_THAT(syscall(SYS_access, area + 4094, F_OK), SyscallSucceeds());
  munmap(area, 4096);
}

}  // namespace
}  // namespace redoubt::test
