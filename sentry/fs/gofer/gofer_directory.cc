// SPDX-License-Identifier: Apache-2.0
//
// GoferInode as a directory: look-up, changes of names, listing.
#include <fcntl.h>
#include <stdio.h>

#include <algorithm>

#include "sentry/fs/gofer/gofer_inode.h"

namespace redoubt::gofer_fs {
namespace {

// A listing of up to this many entries is kept when nobody reads the directory any more.
constexpr size_t kSmallListing = 256;
constexpr size_t kMostEntries = size_t{1} << 22;

// All inodes of one superblock are GoferInodes, and the VFS never mixes superblocks.
GoferInode& AsGofer(vfs::Inode& inode) { return static_cast<GoferInode&>(inode); }

}  // namespace

Result<RefPtr<vfs::Inode>> GoferInode::Lookup(std::string_view name) {
  std::vector<RefPtr<vfs::Inode>> found = TRY(LookupPath(std::span(&name, 1)));
  return std::move(found.front());
}

Result<std::vector<RefPtr<vfs::Inode>>> GoferInode::LookupPath(
    std::span<const std::string_view> names) {
  if (!IsDirectory()) return Errno(ENOTDIR);
  gofer::Exchange exchange;
  gofer::WalkRequest* walk = exchange.request.mutable_walk();
  walk->set_directory(handle());
  names = names.first(std::min<size_t>(names.size(), gofer::kMostWalkNames));
  for (std::string_view name : names) walk->add_names(std::string(name));
  TRY(gofer_.channel().Call(&exchange));
  const auto& nodes = exchange.response.nodes();
  if (nodes.empty() || static_cast<size_t>(nodes.size()) > names.size()) return Errno(EIO);
  std::vector<RefPtr<vfs::Inode>> inodes;
  for (const gofer::FileNode& node : nodes) {
    inodes.push_back(TRY(gofer_.InodeFor(node)));
  }
  return inodes;
}

bool GoferInode::Revalidate(std::string_view name, vfs::Inode* child) {
  vfs::NameCheck unused;
  vfs::CachedName cached = {name, child, &unused};
  return RevalidatePath(std::span(&cached, 1)) > 0;
}

size_t GoferInode::RevalidatePath(std::span<const vfs::CachedName> names) {
  names = names.first(std::min<size_t>(names.size(), gofer::kMostWalkNames));
  gofer::Exchange exchange;
  gofer::CheckRequest* check = exchange.request.mutable_check();
  check->set_directory(handle());
  // Before the question: what changes in between must not look like what was answered.
  std::array<uint64_t, gofer::kMostWalkNames> epochs;
  GoferInode* directory = this;
  for (size_t i = 0; i < names.size(); ++i) {
    epochs[i] = directory->Epoch();
    gofer::CheckStep* step = check->add_steps();
    step->set_name(std::string(names[i].name));
    if (names[i].child == nullptr) break;
    directory = &AsGofer(*names[i].child);
    step->set_child(directory->handle());
  }
  if (!gofer_.channel().Call(&exchange).ok()) return 0;
  const auto& checked = exchange.response.checked();
  size_t held = std::min<size_t>(static_cast<size_t>(checked.size()), names.size());
  directory = this;
  for (size_t i = 0; i < held; ++i) {
    RememberCheck(epochs[i], names[i].check);
    directory->CountTrip();
    if (names[i].child == nullptr) return i + 1;
    directory = &AsGofer(*names[i].child);
    directory->Store(checked[static_cast<int>(i)]);
  }
  return held;
}

Result<RefPtr<vfs::Inode>> GoferInode::Create(std::string_view name,
                                              const vfs::CreateRequest& request) {
  uint32_t type = request.mode & S_IFMT;
  bool is_device = type == S_IFBLK || (type == S_IFCHR && request.device != 0);
  if (is_device) return Errno(EPERM);
  gofer::Exchange exchange;
  gofer::CreateRequest* create = exchange.request.mutable_create();
  create->set_directory(handle());
  create->set_name(std::string(name));
  create->set_mode(request.mode & (S_IFMT | 07777));
  create->set_uid(gofer_.options().users.ToHost(request.uid));
  create->set_gid(gofer_.options().groups.ToHost(request.gid));
  if (type == S_IFLNK) create->set_link_target(request.symlink_target);
  TRY(gofer_.channel().Call(&exchange));
  if (exchange.response.nodes_size() != 1) return Errno(EIO);
  RefPtr<GoferInode> made = TRY(gofer_.InodeFor(exchange.response.nodes(0)));
  if (made->type() != type) return Errno(EIO);
  if (type == S_IFLNK) {
    MutexLock lock(&made->mu_);
    made->link_target_ = request.symlink_target;
  }
  made->TakeNewFile(std::move(exchange.fd));
  if (!name.empty()) EntriesChanged(exchange.response.directory());
  return RefPtr<vfs::Inode>(std::move(made));
}

Result<RefPtr<vfs::Inode>> GoferInode::CreateNameless(const vfs::CreateRequest& request) {
  RefPtr<vfs::Inode> made = TRY(Create("", request));
  AsGofer(*made).linkable_ = request.linkable;
  return made;
}

Result<void> GoferInode::Link(std::string_view name, vfs::Inode& target) {
  GoferInode& file = AsGofer(target);
  if (!file.linkable_) return Errno(ENOENT);
  gofer::Exchange exchange;
  gofer::LinkRequest* link = exchange.request.mutable_link();
  link->set_directory(handle());
  link->set_name(std::string(name));
  link->set_target(file.handle());
  TRY(gofer_.channel().Call(&exchange));
  file.Store(exchange.response.attributes());
  EntriesChanged(exchange.response.directory());
  return {};
}

Result<void> GoferInode::Unlink(std::string_view name, vfs::Inode& child) {
  return Remove(name, child, false);
}

Result<void> GoferInode::RemoveDirectory(std::string_view name, vfs::Inode& child) {
  return Remove(name, child, true);
}

Result<void> GoferInode::Remove(std::string_view name, vfs::Inode& child, bool is_directory) {
  gofer::Exchange exchange;
  gofer::UnlinkRequest* unlink = exchange.request.mutable_unlink();
  unlink->set_directory(handle());
  unlink->set_name(std::string(name));
  unlink->set_child(AsGofer(child).handle());
  unlink->set_is_directory(is_directory);
  unlink->set_check(gofer_.shared());
  TRY(gofer_.channel().Call(&exchange));
  AsGofer(child).LostName(false);
  EntriesChanged(exchange.response.directory());
  return {};
}

Result<void> GoferInode::Rename(std::string_view name, vfs::Inode& child, vfs::Inode& new_directory,
                                std::string_view new_name, vfs::Inode* replaced, unsigned flags) {
  gofer::Exchange exchange;
  gofer::RenameRequest* rename = exchange.request.mutable_rename();
  rename->set_directory(handle());
  rename->set_name(std::string(name));
  rename->set_child(AsGofer(child).handle());
  rename->set_new_directory(AsGofer(new_directory).handle());
  rename->set_new_name(std::string(new_name));
  if (replaced != nullptr) rename->set_replaced(AsGofer(*replaced).handle());
  rename->set_flags(flags);
  TRY(gofer_.channel().Call(&exchange));
  const gofer::Attributes& moved = exchange.response.attributes();
  if (HostKey(moved.device(), moved.inode()) == AsGofer(child).key()) {
    AsGofer(child).Store(moved);
  } else {
    AsGofer(child).MarkStale();
  }
  if (replaced != nullptr) AsGofer(*replaced).LostName((flags & RENAME_EXCHANGE) != 0);
  EntriesChanged(exchange.response.directory());
  AsGofer(new_directory).EntriesChanged(exchange.response.new_directory());
  return {};
}

// Of a file whose last name is gone the host may give the number to another one as soon as nobody
// holds it; the table must not know it then.
void GoferInode::LostName(bool is_exchange) {
  MarkStale();
  if (is_exchange) return;
  bool last;
  {
    MutexLock lock(&mu_);
    last = IsDirectory() || attributes_.links <= 1;
    if (attributes_.links > 0) attributes_.links = last ? 0 : attributes_.links - 1;
  }
  if (last) gofer_.Forget(this);
}

void GoferInode::EntriesChanged(const gofer::Attributes& host) {
  Store(host);
  MutexLock lock(&mu_);
  if (listing_) listing_->set_outdated();
}

Result<int64_t> GoferInode::ReadDirectory(int64_t offset, vfs::DirectorySink& sink) {
  if (!IsDirectory()) return Errno(ENOTDIR);
  MutexLock lock(&mu_);
  // A reader that goes on sees what was there when it, or a later reader, began.
  bool from_start = offset <= 2;
  bool usable = listing_ && (!from_start || ListingHoldsLocked());
  if (!usable) TRY(FetchListingLocked());
  if (reads_show_.load(std::memory_order_relaxed)) MarkStale();
  return listing_->Emit(offset, sink);
}

bool GoferInode::ListingHoldsLocked() {
  if (!listing_->current()) return false;
  if (!watch_) return true;
  return watch_->listing_epoch != 0 && MonotonicNow() < watch_->listing_until_ns &&
         watch_->listing_epoch == EpochLocked();
}

Result<void> GoferInode::FetchListingLocked() {
  if (watch_) {
    watch_->listing_epoch = EpochLocked();
    watch_->listing_until_ns = MonotonicNow() + kMostTrustNs;
  }
  std::vector<DirectoryListing::Entry> entries;
  int64_t cookie = 0;
  for (bool end = false; !end;) {
    gofer::Exchange exchange;
    exchange.request.mutable_read_directory()->set_directory(handle());
    exchange.request.mutable_read_directory()->set_cookie(cookie);
    TRY(gofer_.channel().Call(&exchange));
    const gofer::Response& response = exchange.response;
    end = response.end();
    if (!end && response.entries_size() == 0 && response.cookie() == cookie) return Errno(EIO);
    cookie = response.cookie();
    if (entries.size() + static_cast<size_t>(response.entries_size()) > kMostEntries)
      return Errno(ENOMEM);
    for (const gofer::DirectoryEntry& entry : response.entries()) {
      entries.push_back({.name = entry.name(),
                         .inode_number = gofer_.InodeNumber(key_.first, entry.inode()),
                         .type = static_cast<uint8_t>(entry.type())});
    }
  }
  if (!listing_) listing_ = std::make_unique<DirectoryListing>();
  listing_->Replace(std::move(entries));
  CountTripLocked();
  return {};
}

void GoferInode::AddReader() {
  MutexLock lock(&mu_);
  ++readers_;
}

void GoferInode::DropReader() {
  MutexLock lock(&mu_);
  bool keep = listing_ && listing_->current() && listing_->size() <= kSmallListing;
  if (--readers_ == 0 && !keep) listing_.reset();
}

}  // namespace redoubt::gofer_fs
