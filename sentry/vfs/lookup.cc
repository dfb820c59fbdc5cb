// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/lookup.h"

#include <array>
#include <span>

#include "sentry/vfs/current_call.h"

namespace redoubt::vfs {

namespace {

// More names than this are looked up in a second trip.
constexpr size_t kMaxChain = 32;

struct Chain {
  std::array<std::string_view, kMaxChain> names;
  size_t count = 0;
};

// Cuts the next plain name off `rest`; empty when there is none: "." is skipped, ".." ends it,
// since what lies beyond depends on symlinks and mounts.
std::string_view TakeName(std::string_view& rest) {
  while (true) {
    size_t begin = rest.find_first_not_of('/');
    if (begin == std::string_view::npos) return {};
    rest.remove_prefix(begin);
    std::string_view next = rest.substr(0, rest.find('/'));
    rest.remove_prefix(next.size());
    if (next == ".") continue;
    if (next == ".." || next.size() > kMaxName) return {};
    return next;
  }
}

// `name` and the plain names that follow it.
Chain CollectNames(std::string_view name, std::string_view rest) {
  Chain chain;
  chain.names[chain.count++] = name;
  while (chain.count < kMaxChain) {
    std::string_view next = TakeName(rest);
    if (next.empty()) break;
    chain.names[chain.count++] = next;
  }
  return chain;
}

bool HasMounts(Dentry& dentry) { return dentry.mount_count().load(std::memory_order_relaxed) > 0; }

// `child` and what is cached of the names that follow it. Needs the tree's lock.
bool CheckChain(Dentry& parent, Dentry& child, std::string_view rest) {
  std::array<CachedName, kMaxChain> chain;
  size_t count = 0;
  Dentry* at = &child;
  while (true) {
    chain[count++] = {at->nameLocked(), at->inode().get(), &at->name_check()};
    if (count == kMaxChain || at->IsNegative() || !at->inode()->IsDirectory()) break;
    std::string_view next = TakeName(rest);
    if (next.empty()) break;
    at = at->PeekChildLocked(next);
    if (at == nullptr || HasMounts(*at)) break;
  }
  return parent.inode()->RevalidatePath(std::span(chain.data(), count)) > 0;
}

// What was looked up just now need not be checked later in the same call.
void MarkChecked(Dentry& dentry) {
  if (dentry.superblock()->ChecksNames()) {
    dentry.name_check().call.store(CurrentCall(), std::memory_order_relaxed);
  }
}

RefPtr<Dentry> AddChain(Dentry& parent, std::span<const std::string_view> names,
                        std::vector<RefPtr<Inode>> inodes) {
  RefPtr<Dentry> first, last(&parent);
  for (size_t i = 0; i < inodes.size() && i < names.size(); ++i) {
    last = last->AddChildLocked(names[i], std::move(inodes[i]));
    MarkChecked(*last);
    if (!first) first = last;
    if (!last->inode()->IsDirectory()) return first;
  }
  // Where the file system stopped early, the next name may be missing or just not have been asked
  // for: nothing is remembered of it.
  return first;
}

}  // namespace

bool IsFresh(Dentry& parent, Dentry& child, std::string_view rest) {
  if (!parent.superblock()->NeedsRevalidation()) return true;
  // What carries a mount stays: the mount would be lost with it.
  if (HasMounts(child)) return true;
  const NameCheck& check = child.name_check();
  uint64_t call = CurrentCall();
  if (call != 0 && check.call.load(std::memory_order_relaxed) == call) return true;
  return parent.inode()->StillHolds(check) || CheckChain(parent, child, rest);
}

Result<Victim> LookupVictimLocked(Dentry& parent, std::string_view name) {
  if (parent.superblock()->ChecksNames() && !parent.deletedLocked()) {
    RefPtr<Dentry> cached = parent.FindChildLocked(name);
    if (cached && !cached->IsNegative()) return Victim{std::move(cached), true};
  }
  RefPtr<Dentry> found = TRY(LookupLocked(parent, name));
  return Victim{std::move(found), false};
}

Result<RefPtr<Dentry>> LookupLocked(Dentry& parent, std::string_view name, std::string_view rest) {
  if (name.size() > kMaxName) return Errno(ENAMETOOLONG);
  if (parent.deletedLocked()) return Errno(ENOENT);
  if (RefPtr<Dentry> cached = parent.FindChildLocked(name)) {
    if (IsFresh(parent, *cached, rest)) return cached;
    parent.DropChildLocked(cached.get(), true);
  }
  Chain chain = CollectNames(name, rest);
  std::span<const std::string_view> names(chain.names.data(), chain.count);
  auto found = parent.inode()->LookupPath(names);
  if (found.Is(ENOENT)) {
    RefPtr<Dentry> missing = parent.AddChildLocked(name, nullptr);
    MarkChecked(*missing);
    return missing;
  }
  if (!found.ok()) return found.error();
  if (found->empty()) return Errno(EIO);
  return AddChain(parent, names, std::move(found).value());
}

}  // namespace redoubt::vfs
