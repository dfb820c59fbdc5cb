// SPDX-License-Identifier: Apache-2.0

#include "test/util/fork.h"

#include <grp.h>

#include <cstring>

namespace redoubt::test {
namespace {

// write(2) of a string: stdio is not async-signal-safe.
void Print(const char* text) { (void)!write(STDERR_FILENO, text, strlen(text)); }

void PrintNumber(int number) {
  char digits[12];
  char* end = digits + sizeof(digits) - 1;
  *end = '\0';
  do {
    *--end = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  Print(end);
}

}  // namespace

void ChildCheckFailed(const char* file, int line, const char* what, int error) {
  Print(file);
  Print(":");
  PrintNumber(line);
  Print(": in a child: ");
  Print(what);
  Print(" does not hold, errno ");
  PrintNumber(error);
  Print("\n");
  _exit(kChildCheckFailed);
}

int WaitFor(pid_t pid) {
  int status = -1;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

int RunProgram(const char* const argv[]) {
  return InForkedProcess([argv] {
    execv(argv[0], const_cast<char* const*>(argv));
    _exit(127);
  });
}

bool DropPrivileges() {
  if (geteuid() != 0) return true;
  constexpr uid_t kNobody = 65534;
  return setgroups(0, nullptr) == 0 && setresgid(kNobody, kNobody, kNobody) == 0 &&
         setresuid(kNobody, kNobody, kNobody) == 0;
}

}  // namespace redoubt::test
