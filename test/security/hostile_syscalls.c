// SPDX-License-Identifier: Apache-2.0
// Calls every system call number with hostile arguments. NEVER run this outside a sandbox.
//
//   hostile_syscalls FIRST LAST SETS SEED [v]
//
// For each number, a child calls it with one set of arguments after another: zeros, ones, bad
// pointers, good pointers with huge lengths, bad fds, then random picks (seeded by number and
// SEED, so a run can be repeated). A child that dies, blocks, or loses its mind is replaced by the
// next, which goes on after the set that did it. Prints "done CALLS" when all have been tried.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kMaxBlocked = 4, kBlockMilliseconds = 15, kDeadlineMilliseconds = 2000 };

static volatile int *progress;  // Shared: the set that the child is about to try.
static volatile long *calls;    // Shared: how many calls came back.
static uint8_t *buffer;         // 64 KiB, readable and writable.
static uint8_t *read_only;      // A page.
static uint8_t *edge;           // 8 bytes before an unmapped page.
static uint8_t *path;           // "x", a file in the scratch directory.
static pid_t driver;

static uint64_t Next(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static uint64_t Pick(uint64_t *state) {
  const uint64_t values[] = {
      0, 1, 2, 3, 4, 5, 7, 8, 16, 100, 255, 512, 4096, 65536, 1u << 20, 1u << 30,
      (uint64_t)-1, (uint64_t)-2, (uint64_t)-100, 0x7fffffff, 0x80000000u, 0xffffffffu,
      0x7fffffffffffffff, 0x8000000000000000, 1ull << 47, 1ull << 62, 0xffff800000000000,
      0xffffffffff600000, 0xdeadbeef000, 8, 0x1000, 0x20000, 0x3ff000, 0x400000,
      (uint64_t)buffer, (uint64_t)buffer, (uint64_t)buffer + 1, (uint64_t)buffer + 4096,
      (uint64_t)read_only, (uint64_t)edge, (uint64_t)edge + 4, (uint64_t)path, (uint64_t)path,
      (uint64_t)&Next, 200, 201, 202, 999, 1024, 20000, 1u << 24,
  };
  uint64_t choice = Next(state) % (sizeof values / sizeof values[0] + 4);
  if (choice >= sizeof values / sizeof values[0]) return Next(state);
  return values[choice];
}

static void Fill(int number, int set, uint64_t seed, uint64_t a[6]) {
  uint64_t state = (seed * 1000003 + number) * 1000003 + set + 0x9e3779b97f4a7c15;
  for (int i = 0; i < 8; ++i) Next(&state);
  for (int i = 0; i < 6; ++i) {
    switch (set) {
      case 0: a[i] = 0; break;
      case 1: a[i] = (uint64_t)-1; break;
      case 2: a[i] = 0xdeadbeef000; break;
      case 3: a[i] = 0xffff800000000000; break;
      case 4: a[i] = 0x8000000000000000; break;
      case 5: a[i] = (uint64_t)buffer; break;
      case 6: a[i] = i % 2 ? 0x7fffffffffffffff : (uint64_t)buffer; break;
      case 7: a[i] = i == 0 ? 3 : (uint64_t)edge + 4; break;
      case 8: a[i] = i % 2 ? (uint64_t)path : (uint64_t)-100; break;
      case 9: a[i] = (uint64_t)path; break;
      case 10: a[i] = i == 0 ? 1000000 : (uint64_t)buffer; break;
      case 11: a[i] = (uint64_t)read_only; break;
      default: a[i] = Pick(&state); break;
    }
  }
}

// Some calls could, quite rightly, end or stop the driver: those are kept to the child's group.
static void SpareTheDriver(int number, uint64_t a[6]) {
  switch (number) {
    case SYS_kill: case SYS_tkill: case SYS_tgkill: case SYS_rt_sigqueueinfo:
    case SYS_rt_tgsigqueueinfo: case SYS_prlimit64: case SYS_setpriority: case SYS_ptrace:
    case SYS_sched_setaffinity: case SYS_sched_setparam: case SYS_sched_setscheduler:
    case SYS_sched_setattr: case SYS_process_vm_writev: case SYS_pidfd_open: case SYS_setpgid:
      for (int i = 0; i < 2; ++i) {
        int pid = (int)a[i];
        if (pid == -1 || pid == 1 || pid == (int)driver || -pid == getpgid(driver)) a[i] = 0;
      }
      break;
    case SYS_ioprio_set:
      if ((int)a[1] == (int)driver || (int)a[1] == 1) a[1] = 0;
      break;
    case SYS_reboot:
      a[0] = 0;
      break;
  }
}

static long Call(long number, const uint64_t a[6]) {
  register long r10 __asm__("r10") = (long)a[3];
  register long r8 __asm__("r8") = (long)a[4];
  register long r9 __asm__("r9") = (long)a[5];
  long result = number;
  __asm__ volatile("syscall" : "+a"(result)
                   : "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

static void LimitMyself(void) {
  signal(SIGALRM, SIG_DFL);
  struct rlimit address_space = {4ull << 30, 4ull << 30};
  setrlimit(RLIMIT_AS, &address_space);
  struct rlimit core = {0, 0};
  setrlimit(RLIMIT_CORE, &core);
  struct rlimit file = {1u << 26, 1u << 26};
  setrlimit(RLIMIT_FSIZE, &file);
  setpgid(0, 0);
}

// Fresh descriptors 3.., so that small numbers mean something: a file, a pipe, a directory.
static void OpenSomeFiles(void) {
  open("x", O_RDWR | O_CREAT, 0644);
  int ends[2];
  if (pipe(ends) == 0) (void)!write(ends[1], "text", 4);
  open(".", O_RDONLY | O_DIRECTORY);
}

static void Child(int number, int set, int sets, uint64_t seed) {
  LimitMyself();
  OpenSomeFiles();
  for (; set < sets; ++set) {
    *progress = set;
    uint64_t a[6];
    Fill(number, set, seed, a);
    SpareTheDriver(number, a);
    memset(buffer, set & 1 ? 0xff : 0, 256);
    struct itimerval soon = {{0, kBlockMilliseconds * 1000}, {0, kBlockMilliseconds * 1000}};
    setitimer(ITIMER_REAL, &soon, NULL);
    pid_t before = getpid();
    Call(number, a);
    if (getpid() != before) syscall(SYS_exit_group, 0);  // The child of a fork that worked.
    __atomic_add_fetch(calls, 1, __ATOMIC_RELAXED);
  }
  *progress = sets;
  syscall(SYS_exit_group, 0);
}

static int64_t Milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Waits for the child. Returns 1 if it had to be stopped because it was blocked.
static int Await(pid_t child) {
  int64_t start = Milliseconds();
  int killed = 0, status;
  for (useconds_t nap = 50;; nap = nap < 2000 ? nap * 2 : 2000) {
    pid_t got = waitpid(child, &status, WNOHANG);
    if (got == child || (got < 0 && errno == ECHILD)) break;
    if (!killed && Milliseconds() - start > kDeadlineMilliseconds) {
      kill(child, SIGKILL);
      killed = 1;
    }
    usleep(nap);
  }
  kill(-child, SIGKILL);
  while (waitpid(-1, NULL, WNOHANG) > 0) {}
  return killed || (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
}

static void Try(int number, int sets, uint64_t seed) {
  int blocked = 0;
  for (int set = 0; set < sets && blocked < kMaxBlocked;) {
    *progress = set;
    pid_t child = fork();
    if (child < 0) {
      printf("fork: %s\n", strerror(errno));
      exit(1);
    }
    if (child == 0) Child(number, set, sets, seed);
    blocked += Await(child);
    set = *progress >= set ? *progress + 1 : set + 1;
  }
}

static void *Map(size_t size, int protection, int flags) {
  void *got = mmap(NULL, size, protection, flags | MAP_ANONYMOUS, -1, 0);
  if (got == MAP_FAILED) exit(3);
  return got;
}

int main(int argc, char **argv) {
  if (!getenv("REDOUBT_GUEST_UNDER_ATTACK")) return 64;  // Started by hand, outside.
  if (argc < 5) return 2;
  int first = atoi(argv[1]), last = atoi(argv[2]), sets = atoi(argv[3]);
  driver = getpid();
  setvbuf(stdout, NULL, _IOLBF, 0);
  uint8_t *shared = Map(4096, PROT_READ | PROT_WRITE, MAP_SHARED);
  progress = (volatile int *)shared;
  calls = (volatile long *)(shared + 64);
  buffer = Map(65536, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  read_only = Map(4096, PROT_READ, MAP_PRIVATE);
  uint8_t *two = Map(8192, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  munmap(two + 4096, 4096);
  edge = two + 4096 - 8;
  path = Map(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  strcpy((char *)path, "x");
  for (int number = first; number <= last; ++number) {
    if (argc > 5) printf("%d\n", number);
    Try(number, sets, strtoull(argv[4], NULL, 0));
  }
  printf("done %ld\n", *calls);
  return 0;
}
