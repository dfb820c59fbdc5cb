// SPDX-License-Identifier: Apache-2.0

#include "test/util/timing.h"

#include <string>

#include "test/util/temp_path.h"

namespace redoubt::test {

void AwaitSleeping(pid_t pid, pid_t tid) {
  const std::string path =
      "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/stat";
  PollUntil(
      [&path] {
        // "pid (comm) state ...": comm may hold anything, so look for its last parenthesis.
        const std::string stat = ReadFile(path);
        const size_t end = stat.rfind(") ");
        return end != std::string::npos && stat[end + 2] == 'S';
      },
      milliseconds(500));
}

}  // namespace redoubt::test
