// SPDX-License-Identifier: Apache-2.0
// Many threads and processes, and the rarer ways to make and end them. many MODE [N]
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int started, stop;
static char** program;

static void* wait_for_stop(void* argument) {
  (void)argument;
  atomic_fetch_add(&started, 1);
  while (!atomic_load(&stop)) syscall(SYS_futex, &stop, 0, 0, 0, 0, 0);
  return (void*)(long)(syscall(SYS_gettid) != getpid());
}

// All of them live at once.
static int threads(int count) {
  pthread_t* ids = calloc(count, sizeof(*ids));
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  for (int i = 0; i < count; ++i) {
    int error = pthread_create(&ids[i], &attributes, wait_for_stop, 0);
    if (error) return printf("thread %d: %s\n", i, strerror(error)), 1;
  }
  while (atomic_load(&started) < count) usleep(1000);
  atomic_store(&stop, 1);
  syscall(SYS_futex, &stop, 1, count, 0, 0, 0);
  long good = 0;
  for (int i = 0; i < count; ++i) {
    void* result;
    pthread_join(ids[i], &result);
    good += (long)result;
  }
  printf("%ld threads\n", good);
  return 0;
}

// All of them live at once.
static int process_crowd(int count) {
  int ready[2], go[2];
  if (pipe(ready) || pipe(go)) return 1;
  for (int i = 0; i < count; ++i) {
    pid_t pid = fork();
    if (pid < 0) return printf("process %d: %s\n", i, strerror(errno)), 1;
    if (pid == 0) {
      char byte;
      close(go[1]);
      if (write(ready[1], "x", 1) != 1 || read(go[0], &byte, 1) != 0) _exit(1);
      _exit(i % 7);
    }
  }
  char byte;
  for (int i = 0; i < count; ++i) {
    if (read(ready[0], &byte, 1) != 1) return 1;
  }
  close(go[1]);
  int sum = 0, status;
  for (int i = 0; i < count; ++i) {
    if (wait(&status) < 0 || !WIFEXITED(status)) return puts("wait"), 1;
    sum += WEXITSTATUS(status);
  }
  printf("%d processes, %d\n", count, sum);
  return 0;
}

static void* exec_again(void* argument) {
  (void)argument;
  execl("/proc/self/exe", "many", "executed", (char*)0);
  return 0;
}

// A thread that is not the first executes a program while others run, wait and call.
static int exec_from_thread(void) {
  pthread_t id;
  for (int i = 0; i < 8; ++i) pthread_create(&id, 0, wait_for_stop, 0);
  char expected[32];
  snprintf(expected, sizeof(expected), "%d", getpid());
  setenv("EXPECTED_PID", expected, 1);
  pthread_create(&id, 0, exec_again, 0);
  while (1) syscall(SYS_getppid);
}

static int shared_word;
static int in_shared_memory(void* argument) {
  shared_word += (int)(long)argument;
  return 5;
}

// CLONE_VM without CLONE_THREAD: another process in the same memory.
static int clone_vm(void) {
  for (int i = 0; i < 50; ++i) {
    char* stack = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int flags = CLONE_VM | SIGCHLD | (i % 2 ? CLONE_VFORK : 0);
    int pid = clone(in_shared_memory, stack + 65536, flags, (void*)(long)1);
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 5) return puts("clone"), 1;
    munmap(stack, 65536);
  }
  for (int i = 0; i < 50; ++i) {
    pid_t pid = vfork();
    if (pid == 0) {
      ++shared_word;
      if (i % 2) execl("/bin/true", "true", (char*)0);
      _exit(0);
    }
    waitpid(pid, 0, 0);
  }
  printf("shared %d\n", shared_word);
  return 0;
}

static void* come_and_go(void* seed) {
  unsigned random = (unsigned)(uintptr_t)seed;
  for (int i = rand_r(&random) % 200; i > 0; --i) {
    switch (rand_r(&random) % 5) {
      case 0: syscall(SYS_getppid); break;
      case 1: sched_yield(); break;
      case 2: munmap(mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096); break;
      case 3: usleep(rand_r(&random) % 200); break;
      case 4: {
        pid_t pid = fork();
        if (pid == 0) _exit(0);
        if (pid > 0 && rand_r(&random) % 2) kill(pid, SIGKILL);
        if (pid > 0) waitpid(pid, 0, 0);
      }
    }
  }
  switch (rand_r(&random) % 3) {
    case 0: return 0;
    case 1: pthread_exit(0);
    default: syscall(SYS_exit, 0);  // Behind the C library's back.
  }
  return 0;
}

// Processes full of threads that come and go are killed, or end, at any moment.
static int deaths(int count) {
  int ended = 0;
  for (int i = 0; i < count; ++i) {
    unsigned random = (unsigned)i;
    pid_t pid = fork();
    if (pid == 0) {
      pthread_t id;
      pthread_attr_t attributes;
      pthread_attr_init(&attributes);
      pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
      while (1) {
        for (long j = 0; j < 4; ++j) pthread_create(&id, &attributes, come_and_go, (void*)(i * 100 + j));
        usleep(rand_r(&random) % 3000);
        switch (rand_r(&random) % 12) {
          case 0: _exit(3);
          case 1: abort();
          case 2: syscall(SYS_exit, 0);
          case 3: raise(SIGKILL);
          case 4: execl("/bin/true", "true", (char*)0);
        }
      }
    }
    usleep(rand_r(&random) % 20000);
    kill(pid, SIGKILL);
    int status;
    if (waitpid(pid, &status, 0) == pid) ++ended;
    while (waitpid(-1, &status, WNOHANG) > 0) {
    }
  }
  printf("%d deaths\n", ended);
  return 0;
}

int main(int argc, char** argv) {
  program = argv;
  const char* mode = argc > 1 ? argv[1] : "";
  int count = argc > 2 ? atoi(argv[2]) : 0;
  if (!strcmp(mode, "threads")) return threads(count);
  if (!strcmp(mode, "processes")) return process_crowd(count);
  if (!strcmp(mode, "exec")) return exec_from_thread();
  if (!strcmp(mode, "executed")) {
    printf("same process: %d\n", atoi(getenv("EXPECTED_PID")) == getpid());
    printf("one thread: %d\n", syscall(SYS_gettid) == getpid());
    return 0;
  }
  if (!strcmp(mode, "clone-vm")) return clone_vm();
  if (!strcmp(mode, "deaths")) return deaths(count);
  return 2;
}
