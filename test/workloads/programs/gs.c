// SPDX-License-Identifier: Apache-2.0
// A program with a %gs base of its own, set by the kernel and by wrgsbase: before, after and between
// calls that are made often from one place, in threads, after fork and in signal handlers.
#include <asm/prctl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long hot_call(void) {  // One call site, whatever the caller.
  long result;
  asm volatile("mov $110, %%eax\n syscall" : "=a"(result) : : "rcx", "r11", "memory");
  return result;
}
static uint64_t read_gs(uint64_t offset) {
  uint64_t value;
  asm volatile("mov %%gs:(%1), %0" : "=r"(value) : "r"(offset));
  return value;
}
static void write_base(void* base) { asm volatile("wrgsbase %0" : : "r"(base)); }
static void set_by_kernel(void* base) { syscall(SYS_arch_prctl, ARCH_SET_GS, base); }

static long parent_id;
static void expect(int good, const char* what) {
  if (good) return;
  printf("wrong: %s\n", what);
  fflush(stdout);
  _exit(1);
}

static void call_often(int times) {
  for (int i = 0; i < times; ++i) expect(hot_call() == parent_id, "result of a call");
}

// Memory that a stray write through %gs would show in.
static uint64_t* block(uint64_t mark) {
  uint64_t* memory = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 8192; ++i) memory[i] = mark + i;
  return memory;
}
static void check_block(const uint64_t* memory, uint64_t mark) {
  for (int i = 0; i < 8192; ++i) expect(memory[i] == mark + i, "memory below %gs");
  expect(read_gs(0) == mark && read_gs(264) == mark + 33, "what %gs reads");
}

static void live_with(void (*set)(void*), uint64_t mark) {
  uint64_t* memory = block(mark);
  set(memory);
  call_often(200);
  check_block(memory, mark);
}

static volatile int handled;
static void* handler_block;
static void on_signal(int signal) {
  (void)signal;
  call_often(3);
  expect(read_gs(8) == ((uint64_t*)handler_block)[1], "%gs in a handler");
  ++handled;
}

static void* in_thread(void* wrgs) {
  expect(1, "");
  for (int i = 0; i < 20; ++i) live_with(wrgs ? write_base : set_by_kernel, 1000 * (uint64_t)(i + 1));
  return 0;
}

int main(int argc, char** argv) {
  int warm = argc > 1 && !strcmp(argv[1], "warm");
  parent_id = syscall(SYS_getppid);
  if (warm) call_often(300);  // The place may have changed under us by now.
  live_with(write_base, 0x100000);
  live_with(set_by_kernel, 0x200000);
  live_with(write_base, 0x300000);
  puts("alone");
  handler_block = block(0x400000);
  write_base(handler_block);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, 0);
  for (int i = 0; i < 50; ++i) raise(SIGUSR1), call_often(3);
  check_block(handler_block, 0x400000);
  printf("handled %d\n", handled);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    check_block(handler_block, 0x400000);
    parent_id = getppid();
    call_often(100);
    live_with(write_base, 0x500000);
    _exit(7);
  }
  int status;
  waitpid(child, &status, 0);
  printf("child %d\n", WEXITSTATUS(status));
  pthread_t threads[4];
  for (long i = 0; i < 4; ++i) pthread_create(&threads[i], 0, in_thread, (void*)(i & 1));
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], 0);
  check_block(handler_block, 0x400000);
  unsigned short none = 0;
  asm volatile("mov %0, %%gs" : : "r"(none));  // A null selector: the base is 0, or as it was.
  call_often(100);
  set_by_kernel(0);
  call_often(100);
  puts("threads");
  return 0;
}
