// SPDX-License-Identifier: Apache-2.0
// Every other way into a kernel from user mode: int 0x80, sysenter, x32 numbers, the vsyscall page.
// NEVER run this outside a sandbox.
//
// Each attempt may die by a signal, give ENOSYS, or give what the ordinary call gives here. A value
// that only the host's kernel could know is a leak. Prints one line for each attempt, then "done".
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint8_t *low;  // Memory below 4 GiB, for 32-bit pointers.

static long Int80(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c)
                   : "memory", "r8", "r9", "r10", "r11");
  return (int)result;
}

static long Sysenter(long number, long a, long b, long c) {
  long result;
  // The kernel would return to the vDSO's landing pad; the child most likely dies, which is fine.
  __asm__ volatile("push %%rbp\n\tmov %%rsp, %%rbp\n\tsysenter\n\tpop %%rbp"
                   : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c)
                   : "memory", "r8", "r9", "r10", "r11");
  return (int)result;
}

static long X32(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number | 0x40000000), "D"(a), "S"(b), "d"(c)
                   : "rcx", "r11", "memory");
  return result;
}

static int Refused(long result) { return result == -ENOSYS || result == -EPERM; }

// The process id, asked for with `number` (20 in 32-bit code, 39 else).
static int PidLeaks(long (*enter)(long, long, long, long), long number) {
  long result = enter(number, 0, 0, 0);
  return !Refused(result) && result != getpid();
}

// The host's name; struct new_utsname is the same in both ABIs.
static int NameLeaks(long (*enter)(long, long, long, long), long number) {
  struct utsname ours;
  uname(&ours);
  memset(low, 0, sizeof ours);
  long result = enter(number, (long)low, 0, 0);
  if (result != 0) return 0;
  return memcmp(low, &ours, 65 * 3) != 0;
}

// A signal to a process that the guest cannot name: the canary's host pid, given as argv[1].
static long victim;
static int KillReaches(long (*enter)(long, long, long, long), long number) {
  return victim > 0 && enter(number, victim, SIGKILL, 0) == 0;
}

static int Int80Pid(void) { return PidLeaks(Int80, 20); }
static int Int80Name(void) { return NameLeaks(Int80, 122); }
static int Int80Kill(void) { return KillReaches(Int80, 37); }
static int SysenterPid(void) { return PidLeaks(Sysenter, 20); }
static int SysenterName(void) { return NameLeaks(Sysenter, 122); }
static int SysenterKill(void) { return KillReaches(Sysenter, 37); }
static int X32Pid(void) { return PidLeaks(X32, SYS_getpid); }
static int X32Name(void) { return NameLeaks(X32, SYS_uname); }
static int X32Kill(void) { return KillReaches(X32, SYS_kill); }

// Files made through the 32-bit door must not appear where the stub lives.
static int Int80Mkdir(void) {
  strcpy((char *)low, "/redoubt-entry");
  long result = Int80(39, (long)low, 0777, 0);
  return result == 0 && access("/redoubt-entry", F_OK) != 0;
}

// All 32-bit numbers, with small arguments; only survival counts. (exit and fork are left out.)
static int Int80All(void) {
  for (int number = 0; number < 460; ++number) {
    if (number == 1 || number == 2 || number == 29 || number == 120 || number == 190 ||
        number == 252) continue;
    Int80(number, 0, 0, 0);
  }
  return 0;
}

static int X32All(void) {
  for (int number = 0; number < 600; ++number) {
    if (number == SYS_exit || number == SYS_exit_group || number == SYS_fork ||
        number == SYS_vfork || number == SYS_clone || number == SYS_pause) continue;
    X32(number, -1, -1, -1);
  }
  return 0;
}

static int VsyscallTime(void) {
  struct timeval now = {0, 0};
  ((int (*)(struct timeval *, void *))0xffffffffff600000)(&now, NULL);
  long ours = time(NULL);
  return now.tv_sec < ours - 5 || now.tv_sec > ours + 5;
}

static int VsyscallMiddle(void) {
  ((int (*)(void))0xffffffffff600800)();
  return 0;
}

static int ReadVsyscallPage(void) {
  volatile char *page = (volatile char *)0xffffffffff600000;
  return page[0] == 1;  // Reading it faults, or gives code: no secret in either case.
}

static int FarCallTo32Bit(void) {
  // A jump to the 32-bit code segment, where int 0x80 and sysenter are the natural doors.
  static const uint8_t code[] = {0xb8, 20, 0, 0, 0, 0xcd, 0x80,  // mov $20,%eax; int $0x80
                                 0xcb};                          // lret
  memcpy(low + 2048, code, sizeof code);
  struct { uint32_t offset; uint16_t segment; } __attribute__((packed)) target = {
      (uint32_t)(uintptr_t)(low + 2048), 0x23};
  long result = 0;
  uint8_t *stack = low + 4096 + 2048;
  __asm__ volatile("mov %%rsp, %%r12\n\tmov %2, %%rsp\n\tlcall *(%1)\n\tmov %%r12, %%rsp"
                   : "=a"(result) : "r"(&target), "r"(stack)
                   : "memory", "r12", "rcx", "rdx", "r8", "r9", "r10", "r11");
  return !Refused((int)result) && (int)result != getpid();
}

static const struct {
  const char *name;
  int (*leaks)(void);
} attempts[] = {
    {"int80 getpid", Int80Pid},       {"int80 uname", Int80Name},
    {"int80 kill", Int80Kill},        {"int80 mkdir", Int80Mkdir},
    {"int80 all", Int80All},          {"sysenter getpid", SysenterPid},
    {"sysenter uname", SysenterName}, {"sysenter kill", SysenterKill},
    {"x32 getpid", X32Pid},           {"x32 uname", X32Name},
    {"x32 kill", X32Kill},            {"x32 all", X32All},
    {"vsyscall gettimeofday", VsyscallTime}, {"vsyscall middle", VsyscallMiddle},
    {"vsyscall read", ReadVsyscallPage},     {"32-bit segment", FarCallTo32Bit},
};

int main(int argc, char **argv) {
  if (!getenv("REDOUBT_GUEST_UNDER_ATTACK")) return 64;  // Started by hand, outside.
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc > 1) sscanf(argv[1], "%ld", &victim);
  low = mmap((void *)0x10000000, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (low == MAP_FAILED) return 2;
  for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; ++i) {
    pid_t child = fork();
    if (child == 0) _exit(attempts[i].leaks() ? 1 : 0);
    int status = 0;
    for (int naps = 0; waitpid(child, &status, WNOHANG) == 0; ++naps) {
      if (naps == 300) kill(child, SIGKILL);  // Its own alarm would be undone by the calls it makes.
      usleep(10000);
    }
    if (WIFSIGNALED(status)) {
      printf("%s: signal %d\n", attempts[i].name, WTERMSIG(status));
    } else {
      printf("%s: %s\n", attempts[i].name, WEXITSTATUS(status) == 1 ? "LEAK" : "fine");
    }
  }
  printf("done\n");
  return 0;
}
