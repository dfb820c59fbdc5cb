// SPDX-License-Identifier: Apache-2.0
//
// Stubs that nobody knows: a hostile guest can have a fork's child skip its first call, by writing
// over the stack of the thread that forks. Then neither parent nor child ever tells its id. Such a
// child may do little, but it would run, or be a zombie, outside of every account.
//
// So when a fork ends oddly the children of this process are looked through, by number, twice: who
// is still unknown the second time is no fork that is merely under way, and is killed and reaped.
#ifndef PLATFORM_SECCOMP_TRAP_STRAYS_H_
#define PLATFORM_SECCOMP_TRAP_STRAYS_H_

#include <functional>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"

namespace redoubt::platform::seccomp_trap {

// The warden's thread only.
class Strays {
 public:
  // More than a fork may take.
  static constexpr absl::Duration kPause = absl::Seconds(12);

  // A fork has ended oddly: there is something to look for from now on.
  void Suspect();
  bool hunting() const { return rounds_ > 0; }
  // When hunting: looks at process ids up to `highest`, if a look is due.
  void Hunt(int highest, const std::function<bool(int)>& is_known);

 private:
  int rounds_ = 0;  // Looks to come.
  absl::Time due_;
  absl::flat_hash_set<int> suspects_;
};

}  // namespace redoubt::platform::seccomp_trap

#endif  // PLATFORM_SECCOMP_TRAP_STRAYS_H_
