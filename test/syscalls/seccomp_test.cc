// SPDX-License-Identifier: Apache-2.0
//
// seccomp(2): strict mode, filters, what each answer does, who inherits them, what is refused.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "test/util/fork.h"
#include "test/util/syscall_matchers.h"

namespace redoubt::test {
namespace {

constexpr uint32_t kTsyncEsrch = 1 << 4;

using Code = std::vector<sock_filter>;

constexpr sock_filter Load(size_t offset) {
  return {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<uint32_t>(offset)};
}
constexpr sock_filter Return(uint32_t value) { return {BPF_RET | BPF_K, 0, 0, value}; }
constexpr sock_filter SkipUnless(uint32_t value) {
  return {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value};
}

// `answer` for one call, everything else allowed.
Code AnswerTo(long number, uint32_t answer) {
  return {Load(offsetof(seccomp_data, nr)), SkipUnless(static_cast<uint32_t>(number)),
          Return(answer), Return(SECCOMP_RET_ALLOW)};
}

long Seccomp(unsigned operation, unsigned flags, const void* argument) {
  return syscall(SYS_seccomp, operation, flags, argument);
}

long Install(const Code& code, unsigned flags = 0) {
  sock_fprog program = {static_cast<unsigned short>(code.size()),
                        const_cast<sock_filter*>(code.data())};
  return Seccomp(SECCOMP_SET_MODE_FILTER, flags, &program);
}

void NoNewPrivileges() { CHILD_CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0); }

// getppid cannot be answered without a kernel, and libc does not cache it.
long Getppid() { return syscall(SYS_getppid); }

// A field of /proc/self/status.
long StatusField(const char* name) {
  char text[4096];
  int fd = open("/proc/self/status", O_RDONLY);
  ssize_t size = read(fd, text, sizeof(text) - 1);
  close(fd);
  if (size <= 0) return -1;
  text[size] = '\0';
  const char* found = strstr(text, name);
  return found == nullptr ? -1 : atol(found + strlen(name));
}

TEST(SeccompStrict, AllowsFourCallsAndKillsAtOthers) {
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(Seccomp(SECCOMP_SET_MODE_STRICT, 0, nullptr) == 0);
                (void)!write(-1, "", 0);
                syscall(SYS_exit, 5);
              }),
              ExitedWith(5));
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0);
                Getppid();
              }),
              KilledBy(SIGKILL));
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0);
                syscall(SYS_exit_group, 0);
              }),
              KilledBy(SIGKILL));
}

TEST(SeccompStrict, LocalCallsAreKilledToo) {
  for (long number : {SYS_getpid, SYS_gettid, SYS_getuid, SYS_rt_sigprocmask, SYS_clock_gettime}) {
    EXPECT_THAT(InForkedProcess([number] {
                  CHILD_CHECK(Seccomp(SECCOMP_SET_MODE_STRICT, 0, nullptr) == 0);
                  syscall(number, 0, 0, 0, 8);
                  syscall(SYS_exit, 0);
                }),
                KilledBy(SIGKILL))
        << number;
  }
}

TEST(SeccompStrict, TakesNoArguments) {
  EXPECT_THAT(Seccomp(SECCOMP_SET_MODE_STRICT, 1, nullptr), SyscallFailsWith(EINVAL));
  int something = 0;
  EXPECT_THAT(Seccomp(SECCOMP_SET_MODE_STRICT, 0, &something), SyscallFailsWith(EINVAL));
}

TEST(SeccompStrict, ExcludesFilters) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                CHILD_CHECK(Install({Return(SECCOMP_RET_ALLOW)}) == 0);
                CHILD_CHECK_FAILS(Seccomp(SECCOMP_SET_MODE_STRICT, 0, nullptr), EINVAL);
              }),
              ExitedWith(0));
}

TEST(SeccompFilter, ErrnoIsTheAnswer) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                CHILD_CHECK(Install(AnswerTo(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV)) == 0);
                CHILD_CHECK_FAILS(Getppid(), EXDEV);
                CHILD_CHECK(getpgid(0) > 0);
              }),
              ExitedWith(0));
}

TEST(SeccompFilter, ErrnoZeroIsSuccessAndLargeOnesAreCut) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                CHILD_CHECK(Install(AnswerTo(SYS_getppid, SECCOMP_RET_ERRNO)) == 0);
                CHILD_CHECK(Getppid() == 0);
                CHILD_CHECK(Install(AnswerTo(SYS_getpgid, SECCOMP_RET_ERRNO | 0xffff)) == 0);
                CHILD_CHECK_FAILS(syscall(SYS_getpgid, 0), 4095);
              }),
              ExitedWith(0));
}

TEST(SeccompFilter, UnknownNumbersAreFilteredToo) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                CHILD_CHECK(Install(AnswerTo(999, SECCOMP_RET_ERRNO | EXDEV)) == 0);
                CHILD_CHECK_FAILS(syscall(999), EXDEV);
                CHILD_CHECK_FAILS(syscall(998), ENOSYS);
              }),
              ExitedWith(0));
}

// Whatever the arguments are, and however often it was called before.
void ExpectSeen(std::initializer_list<long> numbers) {
  for (long number : numbers) {
    EXPECT_THAT(InForkedProcess([number] {
                  // Some calls before, so that whatever learns from calls has learnt.
                  for (int i = 0; i < 50; ++i) syscall(number, -1, 0, 0, 0, -1, 0);
                  NoNewPrivileges();
                  CHILD_CHECK(Install(AnswerTo(number, SECCOMP_RET_ERRNO | EXDEV)) == 0);
                  for (int i = 0; i < 50; ++i) {
                    CHILD_CHECK_FAILS(syscall(number, -1, 0, 0, 0, -1, 0), EXDEV);
                  }
                }),
                ExitedWith(0))
        << number;
  }
}

TEST(SeccompFilter, SeesCallsThatNeedNobody) {
  ExpectSeen({SYS_getpid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
              SYS_rt_sigprocmask, SYS_sigaltstack, SYS_clock_gettime, SYS_getcpu, SYS_arch_prctl,
              SYS_read, SYS_fstat, SYS_time});
}

TEST(SeccompFilter, SeesMemoryCalls) {
  ExpectSeen(
      {SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_futex, SYS_sched_yield});
}

TEST(SeccompFilter, ReadsArgumentsAndTheInstructionPointer) {
  EXPECT_THAT(
      InForkedProcess([] {
        NoNewPrivileges();
        // getpgid with a high half of 0x77 in an argument that the call ignores.
        CHILD_CHECK(Install({Load(offsetof(seccomp_data, args[3]) + 4), SkipUnless(0x77),
                             Return(SECCOMP_RET_ERRNO | EXDEV), Return(SECCOMP_RET_ALLOW)}) == 0);
        CHILD_CHECK(syscall(SYS_getpgid, 0, 0, 0, 0x76ULL << 32) > 0);
        CHILD_CHECK_FAILS(syscall(SYS_getpgid, 0, 0, 0, 0x77ULL << 32), EXDEV);
        // The register keeps its value, and _exit would fail too.
        CHILD_CHECK(syscall(SYS_getpgid, 0, 0, 0, 0) > 0);
      }),
      ExitedWith(0));
  EXPECT_THAT(
      InForkedProcess([] {
        NoNewPrivileges();
        CHILD_CHECK(Install({Load(offsetof(seccomp_data, arch)), SkipUnless(AUDIT_ARCH_X86_64),
                             Return(SECCOMP_RET_ALLOW), Return(SECCOMP_RET_KILL_PROCESS)}) == 0);
        CHILD_CHECK(Getppid() > 0);
      }),
      ExitedWith(0));
}

TEST(SeccompFilter, KillProcessEndsItWithSigsys) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                signal(SIGSYS, SIG_IGN);
                CHILD_CHECK(Install(AnswerTo(SYS_getppid, SECCOMP_RET_KILL_PROCESS)) == 0);
                Getppid();
              }),
              KilledBy(SIGSYS));
}

TEST(SeccompFilter, UnknownActionsKill) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                CHILD_CHECK(Install(AnswerTo(SYS_getppid, 0x00020000)) == 0);
                Getppid();
              }),
              KilledBy(SIGSYS));
}

TEST(SeccompFilter, KillThreadOfTheOnlyThreadKillsTheProcess) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                CHILD_CHECK(Install(AnswerTo(SYS_getppid, SECCOMP_RET_KILL_THREAD)) == 0);
                Getppid();
              }),
              KilledBy(SIGSYS));
}

void* FilterSelfAndDie(void*) {
  CHILD_CHECK(Install(AnswerTo(SYS_getppid, SECCOMP_RET_KILL_THREAD)) == 0);
  Getppid();
  _exit(kChildCheckFailed);
}

TEST(SeccompFilter, KillThreadLeavesTheOthers) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                pthread_t thread;
                CHILD_CHECK(pthread_create(&thread, nullptr, FilterSelfAndDie, nullptr) == 0);
                pthread_join(thread, nullptr);
                CHILD_CHECK(Getppid() > 0);
                _exit(3);
              }),
              ExitedWith(3));
}

siginfo_t g_info;
greg_t g_rax, g_rip;

void OnSigsys(int, siginfo_t* info, void* context) {
  g_info = *info;
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  g_rax = registers[REG_RAX];
  g_rip = registers[REG_RIP];
  registers[REG_RAX] = 4321;
}

TEST(SeccompFilter, TrapSendsSigsysWithEverything) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                struct sigaction action = {};
                action.sa_sigaction = OnSigsys;
                action.sa_flags = SA_SIGINFO;
                CHILD_CHECK(sigaction(SIGSYS, &action, nullptr) == 0);
                CHILD_CHECK(Install(AnswerTo(SYS_getppid, SECCOMP_RET_TRAP | 77)) == 0);
                CHILD_CHECK(Getppid() == 4321);
                CHILD_CHECK(g_info.si_signo == SIGSYS);
                CHILD_CHECK(g_info.si_code == 1);  // SYS_SECCOMP
                CHILD_CHECK(g_info.si_errno == 77);
                CHILD_CHECK(g_info.si_syscall == SYS_getppid);
                CHILD_CHECK(g_info.si_arch == AUDIT_ARCH_X86_64);
                CHILD_CHECK(reinterpret_cast<greg_t>(g_info.si_call_addr) == g_rip);
                CHILD_CHECK(g_rax == SYS_getppid);
              }),
              ExitedWith(0));
}

TEST(SeccompFilter, TrapKillsWhoBlocksSigsys) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                signal(SIGSYS, [](int) { _exit(1); });
                sigset_t set;
                sigemptyset(&set);
                sigaddset(&set, SIGSYS);
                sigprocmask(SIG_BLOCK, &set, nullptr);
                CHILD_CHECK(Install(AnswerTo(SYS_getppid, SECCOMP_RET_TRAP)) == 0);
                Getppid();
              }),
              KilledBy(SIGSYS));
}

TEST(SeccompFilter, TraceWithoutTracerAndNotifyWithoutListenerAreEnosys) {
  for (uint32_t action : {SECCOMP_RET_TRACE, SECCOMP_RET_USER_NOTIF}) {
    EXPECT_THAT(InForkedProcess([action] {
                  NoNewPrivileges();
                  CHILD_CHECK(Install(AnswerTo(SYS_getppid, action)) == 0);
                  CHILD_CHECK_FAILS(Getppid(), ENOSYS);
                }),
                ExitedWith(0));
  }
}

TEST(SeccompFilter, LogAllows) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                CHILD_CHECK(Install(AnswerTo(SYS_getppid, SECCOMP_RET_LOG)) == 0);
                CHILD_CHECK(Getppid() > 0);
              }),
              ExitedWith(0));
}

TEST(SeccompFilter, TheStrictestOfSeveralCounts) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                CHILD_CHECK(Install(AnswerTo(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV)) == 0);
                CHILD_CHECK(Install(AnswerTo(SYS_getppid, SECCOMP_RET_LOG)) == 0);
                CHILD_CHECK_FAILS(Getppid(), EXDEV);
                CHILD_CHECK(Install(AnswerTo(SYS_getppid, SECCOMP_RET_ERRNO | E2BIG)) == 0);
                CHILD_CHECK_FAILS(Getppid(), E2BIG);
                CHILD_CHECK(Install(AnswerTo(SYS_getppid, SECCOMP_RET_KILL_PROCESS)) == 0);
                Getppid();
              }),
              KilledBy(SIGSYS));
}

TEST(SeccompFilter, ForkThreadAndExecInherit) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                CHILD_CHECK(Install(AnswerTo(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV)) == 0);
                int status = InForkedProcess([] { CHILD_CHECK_FAILS(Getppid(), EXDEV); });
                CHILD_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
                pthread_t thread;
                pthread_create(
                    &thread, nullptr,
                    [](void*) -> void* {
                      CHILD_CHECK_FAILS(Getppid(), EXDEV);
                      return nullptr;
                    },
                    nullptr);
                pthread_join(thread, nullptr);
                CHILD_CHECK(StatusField("\nSeccomp:\t") == SECCOMP_MODE_FILTER);
                CHILD_CHECK(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER);
              }),
              ExitedWith(0));
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                CHILD_CHECK(Install(AnswerTo(SYS_uname, SECCOMP_RET_KILL_PROCESS)) == 0);
                execl("/bin/uname", "uname", nullptr);
              }),
              KilledBy(SIGSYS));
}

TEST(SeccompFilter, StatusCountsFilters) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                long before = StatusField("Seccomp_filters:\t");
                CHILD_CHECK(Install({Return(SECCOMP_RET_ALLOW)}) == 0);
                CHILD_CHECK(Install({Return(SECCOMP_RET_ALLOW)}) == 0);
                CHILD_CHECK(StatusField("Seccomp_filters:\t") == before + 2);
                CHILD_CHECK(StatusField("NoNewPrivs:\t") == 1);
              }),
              ExitedWith(0));
}

TEST(SeccompFilter, NeedsNoNewPrivilegesOrTheCapability) {
  EXPECT_THAT(InForkedProcess([] {
                CHILD_CHECK(DropPrivileges());
                CHILD_CHECK_FAILS(Install({Return(SECCOMP_RET_ALLOW)}), EACCES);
                NoNewPrivileges();
                CHILD_CHECK(Install({Return(SECCOMP_RET_ALLOW)}) == 0);
              }),
              ExitedWith(0));
}

TEST(SeccompFilter, BadProgramsAreRefused) {
  EXPECT_THAT(
      InForkedProcess([] {
        NoNewPrivileges();
        CHILD_CHECK_FAILS(Install({}), EINVAL);
        CHILD_CHECK_FAILS(Install({Load(0)}), EINVAL);
        CHILD_CHECK_FAILS(Install({Load(64), Return(0)}), EINVAL);
        CHILD_CHECK_FAILS(Install({Load(2), Return(0)}), EINVAL);
        CHILD_CHECK_FAILS(Install({SkipUnless(0), Return(0)}), EINVAL);
        CHILD_CHECK_FAILS(Install({{BPF_LD | BPF_MEM, 0, 0, 0}, Return(0)}), EINVAL);
        CHILD_CHECK_FAILS(Install({{BPF_ALU | BPF_DIV | BPF_K, 0, 0, 0}, Return(0)}), EINVAL);
        CHILD_CHECK_FAILS(Install(Code(4097, Return(SECCOMP_RET_ALLOW))), EINVAL);
        CHILD_CHECK_FAILS(Install({{0xffff, 0, 0, 0}, Return(0)}), EINVAL);
      }),
      ExitedWith(0));
}

TEST(SeccompFilter, BadPointersAreEfault) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                CHILD_CHECK_FAILS(Seccomp(SECCOMP_SET_MODE_FILTER, 0, nullptr), EFAULT);
                sock_fprog program = {1, reinterpret_cast<sock_filter*>(8)};
                CHILD_CHECK_FAILS(Seccomp(SECCOMP_SET_MODE_FILTER, 0, &program), EFAULT);
                program.filter = nullptr;
                CHILD_CHECK_FAILS(Seccomp(SECCOMP_SET_MODE_FILTER, 0, &program), EINVAL);
                CHILD_CHECK_FAILS(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0, 0, 0), EFAULT);
              }),
              ExitedWith(0));
}

TEST(SeccompFilter, AllFiltersTogetherAreBounded) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                Code code(4096, Return(SECCOMP_RET_ALLOW));
                int count = 0;
                while (count < 100 && Install(code) == 0) ++count;
                CHILD_CHECK(errno == ENOMEM);
                CHILD_CHECK(count > 0 && count <= 7);
              }),
              ExitedWith(0));
}

TEST(Seccomp, UnknownOperationsFlagsAndModes) {
  EXPECT_THAT(Seccomp(99, 0, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Seccomp(SECCOMP_SET_MODE_FILTER, 1u << 30, nullptr), SyscallFailsWith(EINVAL));
  EXPECT_THAT(prctl(PR_SET_SECCOMP, 77, 0, 0, 0), SyscallFailsWith(EINVAL));
}

TEST(Seccomp, ActionsAreAvailable) {
  for (uint32_t action :
       {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO,
        SECCOMP_RET_TRACE, SECCOMP_RET_LOG, SECCOMP_RET_ALLOW}) {
    EXPECT_THAT(Seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action), SyscallSucceeds()) << action;
  }
  uint32_t unknown = 0x12340000;
  EXPECT_THAT(Seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &unknown), SyscallFailsWith(EOPNOTSUPP));
  EXPECT_THAT(Seccomp(SECCOMP_GET_ACTION_AVAIL, 1, &unknown), SyscallFailsWith(EINVAL));
  EXPECT_THAT(Seccomp(SECCOMP_GET_ACTION_AVAIL, 0, nullptr), SyscallFailsWith(EFAULT));
}

TEST(Seccomp, NotificationSizes) {
  seccomp_notif_sizes sizes = {};
  ASSERT_THAT(Seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes), SyscallSucceeds());
  EXPECT_EQ(sizes.seccomp_data, sizeof(seccomp_data));
  EXPECT_GE(sizes.seccomp_notif, sizeof(seccomp_notif));
}

// A thread that waits, then says what getppid gives it.
struct Sibling {
  SyncPoint ready, go;
  std::atomic<pid_t> tid{0};
  bool filters_itself = false;
  int error = 0;
  pthread_t thread;

  void Start() {
    pthread_create(
        &thread, nullptr,
        [](void* self) -> void* {
          static_cast<Sibling*>(self)->Run();
          return nullptr;
        },
        this);
    ready.Await();
  }
  void Run() {
    tid = gettid();
    if (filters_itself) CHILD_CHECK(Install({Return(SECCOMP_RET_ALLOW)}) == 0);
    ready.Open();
    go.Await();
    errno = 0;
    if (Getppid() == -1) error = errno;
  }
  void Finish() {
    go.Open();
    pthread_join(thread, nullptr);
  }
};

TEST(SeccompTsync, ReachesAllThreads) {
  EXPECT_THAT(InForkedProcess([] {
                Sibling sibling;
                sibling.Start();
                NoNewPrivileges();
                CHILD_CHECK(Install(AnswerTo(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV),
                                    SECCOMP_FILTER_FLAG_TSYNC) == 0);
                sibling.Finish();
                CHILD_CHECK(sibling.error == EXDEV);
              }),
              ExitedWith(0));
}

TEST(SeccompTsync, WithoutItOnlyTheCallerIsFiltered) {
  EXPECT_THAT(InForkedProcess([] {
                Sibling sibling;
                sibling.Start();
                NoNewPrivileges();
                CHILD_CHECK(Install(AnswerTo(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV)) == 0);
                CHILD_CHECK_FAILS(Getppid(), EXDEV);
                sibling.Finish();
                CHILD_CHECK(sibling.error == 0);
              }),
              ExitedWith(0));
}

TEST(SeccompTsync, NamesTheThreadThatWentAstray) {
  EXPECT_THAT(InForkedProcess([] {
                NoNewPrivileges();
                Sibling sibling;
                sibling.filters_itself = true;
                sibling.Start();
                Code code = AnswerTo(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV);
                CHILD_CHECK(Install(code, SECCOMP_FILTER_FLAG_TSYNC) == sibling.tid);
                CHILD_CHECK_FAILS(Install(code, SECCOMP_FILTER_FLAG_TSYNC | kTsyncEsrch), ESRCH);
                CHILD_CHECK(Getppid() > 0);
                sibling.Finish();
                CHILD_CHECK(sibling.error == 0);
              }),
              ExitedWith(0));
}

}  // namespace
}  // namespace redoubt::test
