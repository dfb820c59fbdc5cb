// SPDX-License-Identifier: Apache-2.0
#include "gofer/server/sandbox.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "base/host/common_calls.h"
#include "base/host/filter.h"
#include "base/host/syscall.h"
#include "base/log.h"

namespace redoubt::gofer {
namespace {

constexpr uint64_t Bit(int capability) { return uint64_t{1} << capability; }

void CloseRange(unsigned first, unsigned last) {
  if (first <= last) close_range(first, last, 0);
}

void CloseAllBut(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned next = 0;
  for (int fd : kept) {
    if (fd < 0 || static_cast<unsigned>(fd) < next) continue;
    if (fd > 0) CloseRange(next, static_cast<unsigned>(fd) - 1);
    next = static_cast<unsigned>(fd) + 1;
  }
  CloseRange(next, ~0u);
}

Result<void> DropBoundingSet(uint64_t kept) {
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if ((kept & Bit(capability)) != 0) continue;
    Result<unsigned> dropped =
        host::Call([&] { return prctl(PR_CAPBSET_DROP, capability, 0, 0, 0); });
    // An older kernel does not know it; without CAP_SETPCAP, no_new_privs does the same work.
    if (!dropped.ok() && !dropped.Is(EINVAL) && !dropped.Is(EPERM)) return dropped.error();
  }
  return {};
}

Result<void> KeepCapabilities(uint64_t kept) {
  TRY(DropBoundingSet(kept));
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  TRY(host::Call([&] { return syscall(SYS_capget, &header, data); }));
  for (int word = 0; word < 2; ++word) {
    auto mask = static_cast<uint32_t>(kept >> (32 * word));
    data[word].permitted &= mask;
    data[word].effective = data[word].permitted;
    data[word].inheritable = 0;
  }
  TRY(host::Call([&] { return syscall(SYS_capset, &header, data); }));
  return {};
}

}  // namespace

uint64_t KeptCapabilities() {
  return Bit(CAP_CHOWN) | Bit(CAP_DAC_OVERRIDE) | Bit(CAP_DAC_READ_SEARCH) | Bit(CAP_FOWNER) |
         Bit(CAP_FSETID);
}

Result<void> Confine(std::vector<int> kept, int socket, bool log_breaches) {
  kept.push_back(LogFd());
  CloseAllBut(std::move(kept));
  TRY(KeepCapabilities(KeptCapabilities()));
  TRY(host::Call([&] { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }));
  // Nobody of the same user reads its memory, no core of file contents is written.
  TRY(host::Call([&] { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }));
  return host::InstallFilter(AllowedCalls(socket, LogFd()),
                             {.refused = host::CommonRefusals(), .log_and_refuse = log_breaches});
}

std::string DescribeAllowedCalls() {
  return host::DescribeFilter(AllowedCalls(3, 2),
                              {.refused = host::CommonRefusals(), .log_and_refuse = false});
}

}  // namespace redoubt::gofer
