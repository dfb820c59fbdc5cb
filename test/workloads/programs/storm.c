// SPDX-License-Identifier: Apache-2.0
// Signals at any instruction. storm MODE
#include <errno.h>
#include <immintrin.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t count, depth, deepest;
static volatile int in_alternate_stack = 1;
static char* alternate;
enum { kStack = 1 << 17 };

static void use_alternate_stack(void) {
  alternate = mmap(0, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  stack_t stack = {.ss_sp = alternate, .ss_size = kStack};
  sigaltstack(&stack, 0);
}

static long hot_call(long number) {
  return syscall(number);
}

static void handle(int signal, void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
  sigaction(signal, &action, 0);
}

// Timers of several signals at different rates: handlers meet everything, each other included.
static void start_storm(int microseconds) {
  int signals[] = {SIGALRM, SIGUSR1, SIGRTMIN + 3};
  for (int i = 0; i < 3; ++i) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signals[i]};
    timer_t timer;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer)) _exit(9);
    int period = (microseconds + 37 * i) * 1000;
    struct itimerspec when = {.it_interval = {0, period}, .it_value = {0, period}};
    timer_settime(timer, 0, &when, 0);
  }
}

static void on_storm(int signal, siginfo_t* info, void* context) {
  (void)signal, (void)info, (void)context;
  int here = ++depth;
  if (here > deepest) deepest = here;
  char* stack = (char*)&here;
  if (stack < alternate || stack >= alternate + kStack) in_alternate_stack = 0;
  hot_call(SYS_getppid);
  ++count;
  --depth;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int storm(void) {
  use_alternate_stack();
  for (int i = 0; i < 3; ++i) {
    handle(((int[]){SIGALRM, SIGUSR1, SIGRTMIN + 3})[i], on_storm, SA_ONSTACK | SA_RESTART);
  }
  long parent = getppid();
  int fds[2], wrong = 0;
  if (pipe(fds)) return 1;
  start_storm(400);
  uint64_t sum = 0, expected = 0;
  double end = seconds() + 1.5;
  for (uint64_t i = 0; seconds() < end; ++i) {
    for (uint64_t j = 0; j < 1000; ++j) sum += i * j ^ j, expected += i * j ^ j;
    wrong += hot_call(SYS_getppid) != parent;
    char bytes[8] = {(char)i};
    if (write(fds[1], bytes, 8) != 8 || read(fds[0], bytes, 8) != 8) ++wrong;
    wrong += bytes[0] != (char)i;
    free(malloc(200000));  // mmap and munmap.
    if (i % 64 == 0) {
      usleep(300);  // Interrupted without SA_RESTART's help.
    }
  }
  printf("handled many: %d, nested: %d, on their stack: %d, sum: %d, wrong: %d\n", count > 100, deepest > 1,
         in_alternate_stack, sum == expected, wrong);
  return 0;
}

static sigjmp_buf back;
static void jump_out(int signal, siginfo_t* info, void* context) {
  (void)signal, (void)info, (void)context;
  ++count;
  siglongjmp(back, 1);
}

static int jumps(void) {
  use_alternate_stack();
  handle(SIGALRM, jump_out, SA_ONSTACK);
  volatile int rounds = 0;
  struct itimerval often = {{0, 700}, {0, 700}};
  setitimer(ITIMER_REAL, &often, 0);
  volatile double end = seconds() + 1;
  sigsetjmp(back, 1);
  while (seconds() < end) {
    hot_call(SYS_getppid);
    if (++rounds % 3 == 0) usleep(100);
  }
  struct itimerval never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &never, 0);
  printf("jumped: %d\n", count > 50);
  return 0;
}

static int order[64], values[64], received;
static void note(int signal, siginfo_t* info, void* context) {
  (void)context;
  order[received] = signal - SIGRTMIN;
  values[received++] = info->si_value.sival_int;
}

static int queue(void) {
  sigset_t all, old;
  sigfillset(&all);
  for (int i = 0; i < 8; ++i) {
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO, .sa_mask = all};
    sigaction(SIGRTMIN + i, &action, 0);
  }
  sigprocmask(SIG_BLOCK, &all, &old);
  for (int i = 0; i < 40; ++i) {
    union sigval value = {.sival_int = i};
    if (sigqueue(getpid(), SIGRTMIN + (i * 5) % 8, value)) return perror("sigqueue"), 1;
  }
  sigprocmask(SIG_SETMASK, &old, 0);
  for (int i = 0; i < received; ++i) printf("%d:%d ", order[i], values[i]);
  puts("");
  return 0;
}

// Vector registers keep their values while handlers change them.
static void spoil_256(int signal, siginfo_t* info, void* context) {
  (void)signal, (void)info, (void)context;
  ++count;
  asm volatile("vpcmpeqd %%ymm0, %%ymm0, %%ymm0\n vmovdqa %%ymm0, %%ymm5\n vmovdqa %%ymm0, %%ymm15" : : : "xmm0", "xmm5", "xmm15");
}
static void spoil_512(int signal, siginfo_t* info, void* context) {
  (void)signal, (void)info, (void)context;
  ++count;
  asm volatile("vpternlogd $255, %zmm0, %zmm0, %zmm0\n vmovdqa64 %zmm0, %zmm5\n vmovdqa64 %zmm0, %zmm30\n"
               "kxnorq %k1, %k1, %k1");
}

static int vectors(void) {
  int wide = __builtin_cpu_supports("avx512bw"), have = __builtin_cpu_supports("avx2");
  if (!have) return puts("kept"), 0;
  use_alternate_stack();
  handle(SIGALRM, wide ? spoil_512 : spoil_256, SA_ONSTACK);
  struct itimerval often = {{0, 300}, {0, 300}};
  setitimer(ITIMER_REAL, &often, 0);
  uint64_t in[16] __attribute__((aligned(64))), out[16] __attribute__((aligned(64)));
  int wrong = 0;
  double end = seconds() + 1;
  for (uint64_t i = 1; seconds() < end; ++i) {
    for (int j = 0; j < 16; ++j) in[j] = i * 0x9e3779b97f4a7c15 + (uint64_t)j, out[j] = 0;
    long loops = 2000;
    if (wide) {
      asm volatile("vmovdqa64 (%1), %%zmm5\n vmovdqa64 64(%1), %%zmm30\n kmovq (%1), %%k1\n"
                   "1: dec %0\n jnz 1b\n mov $110, %%eax\n syscall\n"
                   "vmovdqa64 %%zmm5, (%2)\n vmovdqa64 %%zmm30, 64(%2)\n kmovq %%k1, %%rax\n cmp (%1), %%rax\n je 2f\n"
                   "movq $0, (%2)\n 2:"
                   : "+r"(loops) : "r"(in), "r"(out) : "rax", "rcx", "r11", "memory", "cc", "xmm5");
      wrong += memcmp(in, out, 128) != 0;
    } else {
      asm volatile("vmovdqa (%1), %%ymm5\n vmovdqa 32(%1), %%ymm15\n1: dec %0\n jnz 1b\n mov $110, %%eax\n syscall\n"
                   "vmovdqa %%ymm5, (%2)\n vmovdqa %%ymm15, 32(%2)"
                   : "+r"(loops) : "r"(in), "r"(out) : "rax", "rcx", "r11", "memory", "cc", "xmm5", "xmm15");
      wrong += memcmp(in, out, 64) != 0;
    }
  }
  printf(wrong == 0 && count > 50 ? "kept\n" : "wrong %d, handled %d\n", wrong, count);
  return 0;
}

static volatile int stop;
static void* target(void* argument) {
  (void)argument;
  long parent = getppid(), wrong = 0;
  while (!stop) wrong += hot_call(SYS_getppid) != parent;
  return (void*)wrong;
}
static void on_thread(int signal, siginfo_t* info, void* context) {
  (void)signal, (void)info, (void)context;
  __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
}

// Threads signal each other as fast as they can.
static int threads(void) {
  handle(SIGUSR2, on_thread, SA_RESTART);
  pthread_t ids[4];
  for (int i = 0; i < 4; ++i) pthread_create(&ids[i], 0, target, 0);
  for (int i = 0; i < 4000; ++i) pthread_kill(ids[i % 4], SIGUSR2);
  stop = 1;
  long wrong = 0;
  for (int i = 0; i < 4; ++i) {
    void* result;
    pthread_join(ids[i], &result);
    wrong += (long)result;
  }
  printf("handled: %d, wrong: %ld\n", count > 0, wrong);
  return 0;
}

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "";
  if (!strcmp(mode, "storm")) return storm();
  if (!strcmp(mode, "jumps")) return jumps();
  if (!strcmp(mode, "queue")) return queue();
  if (!strcmp(mode, "vectors")) return vectors();
  if (!strcmp(mode, "threads")) return threads();
  return 2;
}
