// SPDX-License-Identifier: Apache-2.0
// Prints each file named, or ENOENT or the number of another error.
//   read_paths [--chroot] [--repeat N] PATH...
// --chroot first tries the classic way out: chroot below an open directory, then many "..".
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void Show(const char *path) {
  int fd = open(path, O_RDONLY);
  if (fd < 0) {
    if (errno == ENOENT) printf("ENOENT\n");
    else printf("error %d\n", errno);
    return;
  }
  char text[4096];
  ssize_t got = read(fd, text, sizeof text);
  if (got > 0) fwrite(text, 1, (size_t)got, stdout);
  close(fd);
}

static void LeaveByChroot(void) {
  mkdir("/tmp/cell", 0755);
  int root = open("/", O_RDONLY | O_DIRECTORY);
  if (chroot("/tmp/cell") != 0) return;
  fchdir(root);
  for (int i = 0; i < 100; ++i) chdir("..");
  chroot(".");
}

int main(int argc, char **argv) {
  int next = 1, repeat = 1;
  if (next < argc && strcmp(argv[next], "--chroot") == 0) {
    LeaveByChroot();
    ++next;
  }
  if (next + 1 < argc && strcmp(argv[next], "--repeat") == 0) {
    repeat = atoi(argv[next + 1]);
    next += 2;
  }
  for (int round = 0; round < repeat; ++round) {
    for (int i = next; i < argc; ++i) Show(argv[i]);
  }
  return 0;
}
