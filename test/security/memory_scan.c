// SPDX-License-Identifier: Apache-2.0
// Looks through all memory that this process can read for a secret that only the sandbox knows.
//
//   memory_scan REVERSED_SECRET     (reversed, so that our own arguments do not match)
//
// Reads /proc/self/maps and, beside what it admits, probes the low addresses where a shim may lie.
// A page is probed by write(2) to a pipe: EFAULT says that it is not there.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char reversed[256];
static size_t length;
static unsigned long pages, hits;
static int ends[2];

static int Matches(const uint8_t *at) {
  for (size_t i = 0; i < length; ++i) {
    if (at[i] != (uint8_t)reversed[length - 1 - i]) return 0;
  }
  return 1;
}

static void ScanPage(uintptr_t address) {
  static uint8_t copy[4096];
  if (write(ends[1], (void *)address, 4096) != 4096) return;
  if (read(ends[0], copy, 4096) != 4096) return;
  ++pages;
  for (size_t i = 0; i + length <= 4096; ++i) {
    if (Matches(copy + i)) {
      printf("LEAK at %lx\n", (unsigned long)(address + i));
      ++hits;
    }
  }
}

int main(int argc, char **argv) {
  if (argc < 2 || pipe(ends) != 0) return 2;
  snprintf(reversed, sizeof reversed, "%s", argv[1]);
  length = strlen(reversed);
  for (uintptr_t address = 0; address < 0x1000000; address += 4096) ScanPage(address);
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[512];
  while (maps && fgets(line, sizeof line, maps)) {
    unsigned long start, end;
    char permissions[8];
    if (sscanf(line, "%lx-%lx %7s", &start, &end, permissions) != 3) continue;
    if (permissions[0] != 'r' || end > 0x7fffffffffff || end < start) continue;
    for (; start < end; start += 4096) ScanPage(start);
  }
  printf("scanned %s pages, %lu hits\n", pages > 100 ? "many" : "few", hits);
  return hits != 0;
}
