// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/lookup.h"

#include <array>
#include <span>

namespace redoubt::vfs {

namespace {

// More names than this are looked up in a second trip.
constexpr size_t kMaxChain = 32;

struct Chain {
  std::array<std::string_view, kMaxChain> names;
  size_t count = 0;
};

// `name` and the plain names that follow it: "." is skipped, ".." ends the chain, since what lies
// beyond depends on symlinks and mounts.
Chain CollectNames(std::string_view name, std::string_view rest) {
  Chain chain;
  chain.names[chain.count++] = name;
  while (chain.count < kMaxChain) {
    size_t begin = rest.find_first_not_of('/');
    if (begin == std::string_view::npos) break;
    rest.remove_prefix(begin);
    std::string_view next = rest.substr(0, rest.find('/'));
    rest.remove_prefix(next.size());
    if (next == ".") continue;
    if (next == ".." || next.size() > kMaxName) break;
    chain.names[chain.count++] = next;
  }
  return chain;
}

RefPtr<Dentry> AddChain(Dentry& parent, std::span<const std::string_view> names,
                        std::vector<RefPtr<Inode>> inodes) {
  RefPtr<Dentry> first, last(&parent);
  for (size_t i = 0; i < inodes.size() && i < names.size(); ++i) {
    last = last->AddChildLocked(names[i], std::move(inodes[i]));
    if (!first) first = last;
    if (!last->inode()->IsDirectory()) return first;
  }
  // Where the file system stopped early, the next name may be missing or just not have been asked
  // for: nothing is remembered of it.
  return first;
}

}  // namespace

bool IsFresh(const Dentry& parent, const Dentry& child, std::string_view name) {
  if (!parent.superblock()->NeedsRevalidation()) return true;
  // What carries a mount stays: the mount would be lost with it.
  if (const_cast<Dentry&>(child).mount_count().load(std::memory_order_relaxed) > 0) return true;
  return parent.inode()->Revalidate(name, child.inode().get());
}

Result<RefPtr<Dentry>> LookupLocked(Dentry& parent, std::string_view name, std::string_view rest) {
  if (name.size() > kMaxName) return Errno(ENAMETOOLONG);
  if (parent.deletedLocked()) return Errno(ENOENT);
  if (RefPtr<Dentry> cached = parent.FindChildLocked(name)) {
    if (IsFresh(parent, *cached, name)) return cached;
    parent.DropChildLocked(cached.get(), true);
  }
  Chain chain = CollectNames(name, rest);
  std::span<const std::string_view> names(chain.names.data(), chain.count);
  auto found = parent.inode()->LookupPath(names);
  if (found.Is(ENOENT)) return parent.AddChildLocked(name, nullptr);
  if (!found.ok()) return found.error();
  if (found->empty()) return Errno(EIO);
  return AddChain(parent, names, std::move(found).value());
}

}  // namespace redoubt::vfs
