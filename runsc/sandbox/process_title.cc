// SPDX-License-Identifier: Apache-2.0
#include "runsc/sandbox/process_title.h"

#include <sys/prctl.h>

#include <algorithm>
#include <cstring>

namespace redoubt::runsc {

namespace {

// The strings lie one behind the other, each with its null byte (execve(2)).
char* g_begin = nullptr;
size_t g_size = 0;

}  // namespace

void SetProcessTitleArea(int argc, char** argv) {
  if (argc == 0) return;
  g_begin = argv[0];
  char* end = argv[0];
  for (int i = 0; i < argc && argv[i] == end; ++i) end = argv[i] + strlen(argv[i]) + 1;
  g_size = static_cast<size_t>(end - g_begin);
}

void SetProcessTitle(const std::string& title) {
  (void)prctl(PR_SET_NAME, title.substr(0, title.find(' ')).c_str(), 0, 0, 0);
  if (g_size == 0) return;
  memset(g_begin, 0, g_size);
  memcpy(g_begin, title.data(), std::min(title.size(), g_size - 1));
}

}  // namespace redoubt::runsc
