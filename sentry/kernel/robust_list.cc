// SPDX-License-Identifier: Apache-2.0
#include "sentry/kernel/robust_list.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <bit>

#include "sentry/kernel/task.h"

namespace redoubt::kernel {

namespace {

struct RobustListHead {
  uint64_t next;
  int64_t futex_offset;
  uint64_t pending;
};
static_assert(sizeof(RobustListHead) == sizeof(robust_list_head));

constexpr uint64_t kPriorityInheritance = 1;  // Low bit of an entry's address.

void ReleaseFutex(Task& task, uint64_t address) {
  if (address % sizeof(uint32_t) != 0) return;
  Result<uint32_t> word = task.CopyIn<uint32_t>(address);
  if (!word.ok() || (*word & FUTEX_TID_MASK) != static_cast<uint32_t>(task.tid())) return;
  // Not a compare-and-swap: a waiter may set FUTEX_WAITERS between the read and the write. So a
  // wake follows in any case; a waiter whose bit was lost finds the word changed and looks again.
  uint32_t released = (*word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
  if (!task.CopyOut(address, released).ok()) return;
  (void)task.context().HostCall(
      {.number = SYS_futex, .arguments = {address, FUTEX_WAKE, 1, 0, 0, 0}});
}

}  // namespace

void ReleaseRobustList(Task& task) {
  uint64_t head_address = task.robust_list();
  if (head_address == 0) return;
  task.SetRobustList(0);
  Result<RobustListHead> head = task.CopyIn<RobustListHead>(head_address);
  if (!head.ok()) return;
  uint64_t offset = static_cast<uint64_t>(head->futex_offset);
  uint64_t pending = head->pending & ~kPriorityInheritance;
  uint64_t entry = head->next & ~kPriorityInheritance;
  // A list in memory that is in use again may never come back to its head. Linux goes round up to
  // its limit, which is cheap there; here each step is a host call, so a circle is noticed.
  uint64_t mark = 0;
  for (unsigned i = 0; i < ROBUST_LIST_LIMIT && entry != head_address && entry != mark; ++i) {
    if (std::has_single_bit(i)) mark = entry;
    Result<uint64_t> next = task.CopyIn<uint64_t>(entry);
    if (entry != pending) ReleaseFutex(task, entry + offset);
    if (!next.ok()) break;
    entry = *next & ~kPriorityInheritance;
  }
  if (pending != 0) ReleaseFutex(task, pending + offset);
}

}  // namespace redoubt::kernel
