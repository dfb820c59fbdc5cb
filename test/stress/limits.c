// SPDX-License-Identifier: Apache-2.0
// Runs into one limit, says which errno met it, and lets go again: limits WHAT [N]
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void Say(const char *what, int error) { printf("%s: %s\n", what, strerror(error)); }

// Forks children that sleep until fork refuses, at most `most`. Then all end, and fork works again.
static int Forks(int most) {
  pid_t *children = calloc((size_t)most, sizeof *children);
  int ends[2], count = 0, error = 0;
  if (pipe(ends) != 0) return 2;
  for (; count < most; ++count) {
    pid_t child = fork();
    if (child < 0) {
      error = errno;
      break;
    }
    if (child == 0) {
      char byte;
      close(ends[1]);
      read(ends[0], &byte, 1);  // Until the parent closes its end.
      _exit(0);
    }
    children[count] = child;
  }
  Say("fork", error);
  fprintf(stderr, "%d children\n", count);
  close(ends[1]);
  int ended = 0;
  for (int i = 0; i < count; ++i) ended += waitpid(children[i], NULL, 0) == children[i];
  printf("all ended: %d\n", ended == count);
  pid_t again = fork();
  if (again == 0) _exit(5);
  int status = 0;
  waitpid(again, &status, 0);
  printf("fork works again: %d\n", WEXITSTATUS(status) == 5);
  return 0;
}

// The same below RLIMIT_NPROC, as a user of whom nothing else runs.
static int ForksOfUser(int most) {
  struct rlimit limit = {(rlim_t)most, (rlim_t)most};
  setrlimit(RLIMIT_NPROC, &limit);
  if (geteuid() == 0 && (setgroups(0, NULL) || setgid(54321) || setuid(54321))) return 3;
  return Forks(most * 2);
}

static int Descriptors(int most) {
  struct rlimit limit = {(rlim_t)most, (rlim_t)most};
  setrlimit(RLIMIT_NOFILE, &limit);
  int count = 0, pair[2];
  while (open("/dev/null", O_RDONLY) >= 0) ++count;
  Say("open", errno);
  printf("opened %d\n", count);
  Say("pipe", pipe(pair) < 0 ? errno : 0);
  Say("dup", dup(0) < 0 ? errno : 0);
  Say("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ? errno : 0);
  Say("eventfd", eventfd(0, 0) < 0 ? errno : 0);
  Say("epoll", epoll_create1(0) < 0 ? errno : 0);
  Say("dup2", dup2(0, most) < 0 ? errno : 0);
  Say("fcntl", fcntl(0, F_DUPFD, most) < 0 ? errno : 0);
  for (int fd = 3; fd < most; ++fd) close(fd);
  printf("open again: %d\n", open("/dev/null", O_RDONLY));
  return 0;
}

static int Memory(void) {
  struct rlimit limit = {1ull << 30, 1ull << 30};
  setrlimit(RLIMIT_AS, &limit);
  errno = 0;
  Say("malloc", malloc(10ull << 30) ? 0 : errno);
  void *got = mmap(NULL, 10ull << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  Say("mmap", got == MAP_FAILED ? errno : 0);
  Say("sbrk", sbrk((intptr_t)(10ull << 30)) == (void *)-1 ? errno : 0);
  int blocks = 0;
  while (blocks < 200 && (got = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED) {
    memset(got, 1, 4096);
    ++blocks;
  }
  Say("many", got == MAP_FAILED ? errno : 0);
  printf("between 50 and 64 blocks: %d\n", blocks >= 50 && blocks <= 64);
  return 0;
}

static int __attribute__((noinline)) Deeper(volatile char *above, int depth) {
  volatile char here[1024];
  here[0] = above[0];
  return Deeper(here, depth + 1) + here[0];
}

static int StackOverflow(void) {
  volatile char start[1] = {1};
  struct rlimit core = {0, 0};
  setrlimit(RLIMIT_CORE, &core);
  return Deeper(start, 0);
}

static void OnOverflow(int number) {
  static const char text[] = "caught on the other stack\n";
  (void)number;
  write(1, text, sizeof text - 1);
  _exit(7);
}

static int StackOverflowCaught(void) {
  stack_t other = {.ss_sp = malloc(65536), .ss_size = 65536};
  sigaltstack(&other, NULL);
  struct sigaction action = {.sa_handler = OnOverflow, .sa_flags = SA_ONSTACK};
  sigaction(SIGSEGV, &action, NULL);
  return StackOverflow();
}

static int Zombies(int count) {
  for (int i = 0; i < count; ++i) {
    pid_t child = fork();
    if (child < 0) return 4;
    if (child == 0) _exit(i & 127);
  }
  long sum = 0;
  int status, waited = 0;
  while (wait(&status) > 0) {
    sum += WEXITSTATUS(status);
    ++waited;
  }
  printf("waited for %d, sum %ld, then %s\n", waited, sum, strerror(errno));
  signal(SIGCHLD, SIG_IGN);
  for (int i = 0; i < count; ++i) {
    if (fork() == 0) _exit(0);
  }
  printf("none to wait for: %d\n", wait(NULL) == -1 && errno == ECHILD);
  return 0;
}

static void *Pause(void *gate) {
  pthread_barrier_wait(gate);
  return gate;
}

static int Threads(int count) {
  pthread_t threads[1000];
  for (int round = 0; round < 5; ++round) {
    pthread_barrier_t gate;
    pthread_barrier_init(&gate, NULL, (unsigned)count + 1);
    for (int i = 0; i < count; ++i) {
      if (pthread_create(&threads[i], NULL, Pause, &gate) != 0) return 5;
    }
    pthread_barrier_wait(&gate);
    for (int i = 0; i < count; ++i) pthread_join(threads[i], NULL);
  }
  printf("%d threads, five times\n", count);
  return 0;
}

// A ring of processes passes tokens round by pipes.
static int Ring(int count, int rounds) {
  int (*pipes)[2] = calloc((size_t)count, sizeof *pipes), token = 0;
  for (int i = 0; i < count; ++i) {
    if (pipe(pipes[i]) != 0) return 6;
  }
  for (int i = 1; i < count; ++i) {
    if (fork() != 0) continue;
    for (int round = 0; round < rounds; ++round) {
      if (read(pipes[i - 1][0], &token, sizeof token) != sizeof token) _exit(1);
      ++token;
      if (write(pipes[i][1], &token, sizeof token) != sizeof token) _exit(2);
    }
    _exit(0);
  }
  for (int round = 0; round < rounds; ++round) {
    write(pipes[0][1], &token, sizeof token);
    read(pipes[count - 1][0], &token, sizeof token);
  }
  int bad = 0, status;
  while (wait(&status) > 0) bad += status != 0;
  printf("token %d, bad %d\n", token, bad);
  return 0;
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char *what = argc > 1 ? argv[1] : "";
  int n = argc > 2 ? atoi(argv[2]) : 0;
  if (strcmp(what, "forks") == 0) return Forks(n);
  if (strcmp(what, "forks-of-user") == 0) return ForksOfUser(n);
  if (strcmp(what, "descriptors") == 0) return Descriptors(n);
  if (strcmp(what, "memory") == 0) return Memory();
  if (strcmp(what, "stack") == 0) return StackOverflow();
  if (strcmp(what, "stack-caught") == 0) return StackOverflowCaught();
  if (strcmp(what, "zombies") == 0) return Zombies(n);
  if (strcmp(what, "threads") == 0) return Threads(n);
  if (strcmp(what, "ring") == 0) return Ring(n, 200);
  return 2;
}
