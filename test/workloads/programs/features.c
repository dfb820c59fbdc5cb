// SPDX-License-Identifier: Apache-2.0
// A C program that touches a bit of everything: math, threads, locale, time, files, signals.
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static __thread int local = 1;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long total;
static volatile sig_atomic_t signals_seen;

static void *Work(void *argument) {
  for (int i = 0; i < 1000; ++i) {
    pthread_mutex_lock(&mutex);
    total += (long)argument;
    pthread_mutex_unlock(&mutex);
  }
  local = 2;
  return (void *)(long)local;
}

static void OnSignal(int number) { signals_seen += number; }

static int Compare(const void *a, const void *b) {
  return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

int main(int argc, char **argv) {
  pthread_t threads[8];
  for (long i = 0; i < 8; ++i) pthread_create(&threads[i], NULL, Work, (void *)i);
  for (int i = 0; i < 8; ++i) pthread_join(threads[i], NULL);
  printf("threads %ld, local %d\n", total, local);
  signal(SIGUSR1, OnSignal);
  raise(SIGUSR1);
  printf("signals %d\n", (int)signals_seen);
  printf("math %.6f %.6f\n", sin(1.0), pow(2.0, 0.5));
  int *numbers = malloc(100000 * sizeof(int));
  for (int i = 0; i < 100000; ++i) numbers[i] = (i * 7919) % 100003;
  qsort(numbers, 100000, sizeof(int), Compare);
  printf("sorted %d %d\n", numbers[0], numbers[99999]);
  free(numbers);
  setlocale(LC_ALL, "C");
  time_t zero = 0;
  printf("time %s", asctime(gmtime(&zero)));
  FILE *file = tmpfile();
  fprintf(file, "%s", "kept in a file");
  rewind(file);
  char text[32] = "";
  if (!fgets(text, sizeof text, file)) return 2;
  printf("file %s\n", text);
  FILE *pipe = popen("echo from a shell", "r");
  if (!fgets(text, sizeof text, pipe)) return 3;
  printf("popen %s", text);
  printf("arguments %d, status %d\n", argc, pclose(pipe));
  return argc > 1 ? atoi(argv[1]) : 0;
}
