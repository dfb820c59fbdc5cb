// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/strays.h"

#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <utility>

#include "absl/time/clock.h"
#include "platform/seccomp_trap/layout.h"

namespace redoubt::platform::seccomp_trap {
namespace {

// A second look, and a third for those that were born after the last odd fork was noticed.
constexpr int kRounds = 3;

enum class Kind { kNotOurs, kZombie, kStub, kOther };

// Whether it is a child of this process, and what.
Kind KindOf(int pid) {
  siginfo_t info{};
  constexpr int kLook = WEXITED | WNOHANG | WNOWAIT | __WALL;
  if (waitid(P_PID, static_cast<id_t>(pid), &info, kLook) != 0) return Kind::kNotOurs;
  if (info.si_pid == pid) return Kind::kZombie;
  // Only a stub has something there: it is below what any program may be linked to.
  char byte;
  iovec local{&byte, 1}, remote{reinterpret_cast<void*>(kTrampolines), 1};
  return process_vm_readv(pid, &local, 1, &remote, 1, 0) == 1 ? Kind::kStub : Kind::kOther;
}

void End(int pid) {
  siginfo_t info{};
  kill(pid, SIGKILL);
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | __WALL);
}

}  // namespace

void Strays::Suspect() {
  if (rounds_ == 0) due_ = absl::Now() + kPause;
  rounds_ = kRounds;
}

void Strays::Hunt(int highest, const std::function<bool(int)>& is_known) {
  absl::Time now = absl::Now();
  if (rounds_ == 0 || now < due_) return;
  due_ = now + kPause;
  absl::flat_hash_set<int> seen;
  for (int pid = 1; pid <= highest; ++pid) {
    if (is_known(pid)) continue;
    Kind kind = KindOf(pid);
    if (kind == Kind::kNotOurs || kind == Kind::kOther) continue;
    if (suspects_.contains(pid)) {
      End(pid);
    } else {
      seen.insert(pid);
    }
  }
  suspects_ = std::move(seen);
  --rounds_;
}

}  // namespace redoubt::platform::seccomp_trap
