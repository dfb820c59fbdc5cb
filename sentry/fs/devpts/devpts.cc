// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/devpts/devpts.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>

#include "sentry/fs/devpts/pty.h"
#include "sentry/vfs/attribute_change.h"
#include "sentry/vfs/caller.h"

namespace redoubt::fs {

namespace {

constexpr uint64_t kDevptsMagic = 0x1cd1;
constexpr uint64_t kRootNumber = 1;
constexpr uint64_t kPtmxNumber = 2;
constexpr uint64_t kFirstSlaveNumber = 3;
constexpr int64_t kPtmxOffset = 3;  // Of ReadDirectory; slave N follows at 4 + N.
constexpr uint64_t kPtmxDevice = 5 << 8 | 2;

std::optional<uint32_t> ParseNumber(std::string_view text, int base) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A slave's number from its name, as Linux writes it: decimal without leading zeros. -1 else.
int SlaveNumber(std::string_view name) {
  if (name.empty() || name.size() > 6 || (name.size() > 1 && name[0] == '0')) return -1;
  const std::optional<uint32_t> number = ParseNumber(name, 10);
  return number ? static_cast<int>(*number) : -1;
}

DevptsSuperblock& Devpts(const vfs::Inode& inode) {
  return static_cast<DevptsSuperblock&>(*inode.superblock());
}

// Attributes under a lock; what all inodes here share.
class DevptsInode : public vfs::Inode {
 public:
  DevptsInode(RefPtr<DevptsSuperblock> superblock, uint64_t number, uint32_t mode)
      : Inode(superblock, mode & S_IFMT) {
    attributes_.inode_number = number;
    attributes_.device = superblock->device();
    attributes_.mode = mode;
    attributes_.block_size = 1024;
    attributes_.access_time = attributes_.modify_time = attributes_.change_time =
        attributes_.birth_time = vfs::Now();
  }

  Result<vfs::Attributes> GetAttributes() override {
    MutexLock lock(&mu_);
    return attributes_;
  }
  Result<void> SetAttributes(const vfs::AttributeChange& change) override {
    MutexLock lock(&mu_);
    vfs::ApplyChange(change, attributes_);
    return {};
  }

 protected:
  // Of the attributes; a leaf, since the superblock's lock may be held.
  Mutex<LockRank::kLeaf> mu_;
  vfs::Attributes attributes_ ABSL_GUARDED_BY(mu_);
};

class PtmxInode final : public DevptsInode {
 public:
  explicit PtmxInode(RefPtr<DevptsSuperblock> superblock)
      : DevptsInode(superblock, kPtmxNumber, S_IFCHR | superblock->options().ptmx_mode) {
    MutexLock lock(&mu_);
    attributes_.special_device = kPtmxDevice;
  }
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override {
    return OpenMaster(RefPtr<DevptsSuperblock>(&Devpts(*this)), path, flags, caller);
  }
};

class SlaveInodeImpl final : public DevptsInode {
 public:
  SlaveInodeImpl(RefPtr<DevptsSuperblock> superblock, RefPtr<Pty> pty, uint32_t uid, uint32_t gid)
      : DevptsInode(superblock, kFirstSlaveNumber + static_cast<uint64_t>(pty->number()),
                    S_IFCHR | superblock->options().mode),
        pty_(std::move(pty)) {
    MutexLock lock(&mu_);
    attributes_.special_device = pty_->device();
    attributes_.uid = uid;
    attributes_.gid = gid;
  }
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override {
    return pty_->OpenSlave(path, flags, caller);
  }

 private:
  const RefPtr<Pty> pty_;
};

class RootInode final : public DevptsInode {
 public:
  explicit RootInode(RefPtr<DevptsSuperblock> superblock)
      : DevptsInode(std::move(superblock), kRootNumber, S_IFDIR | 0755) {
    MutexLock lock(&mu_);
    attributes_.links = 2;
  }

  Result<RefPtr<vfs::Inode>> Lookup(std::string_view name) override {
    if (name == "ptmx") {
      return RefPtr<vfs::Inode>(MakeRef<PtmxInode>(RefPtr<DevptsSuperblock>(&Devpts(*this))));
    }
    const int number = SlaveNumber(name);
    RefPtr<vfs::Inode> slave = number < 0 ? nullptr : Devpts(*this).SlaveInode(number);
    if (!slave) return Errno(ENOENT);
    return slave;
  }

  bool Revalidate(std::string_view name, vfs::Inode* child) override {
    if (name == "ptmx") return child != nullptr;
    const int number = SlaveNumber(name);
    return number < 0 ? child == nullptr : Devpts(*this).SlaveInode(number) == child;
  }

  Result<int64_t> ReadDirectory(int64_t offset, vfs::DirectorySink& sink) override {
    if (offset <= kPtmxOffset) {
      const int64_t next = kPtmxOffset + 1;
      if (!sink.Add(
              {.name = "ptmx", .inode_number = kPtmxNumber, .type = DT_CHR, .next_offset = next})) {
        return offset;
      }
      offset = next;
    }
    int number = static_cast<int>(offset - kPtmxOffset - 1);
    while ((number = Devpts(*this).NextPty(number)) >= 0) {
      const int64_t next = kPtmxOffset + 2 + number;
      const std::string name = std::to_string(number);
      const uint64_t inode = kFirstSlaveNumber + static_cast<uint64_t>(number);
      if (!sink.Add({.name = name, .inode_number = inode, .type = DT_CHR, .next_offset = next})) {
        break;
      }
      offset = next;
      ++number;
    }
    return offset;
  }

  // A directory file: the base class reads it through ReadDirectory.
  Result<RefPtr<vfs::FileDescription>> Open(const vfs::Path& path, uint32_t flags,
                                            const vfs::Caller& caller) override {
    return MakeRef<vfs::FileDescription>(path, flags);
  }
};

}  // namespace

Result<DevptsOptions> ParseDevptsOptions(std::string_view text) {
  constexpr uint32_t kMostPtys = 1 << 16;
  DevptsOptions options;
  while (!text.empty()) {
    const std::string_view option = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), option.size() + 1));
    if (option.empty() || option == "newinstance") continue;  // Each mount is one.
    const size_t equals = option.find('=');
    if (equals == std::string_view::npos) return Errno(EINVAL);
    const std::string_view key = option.substr(0, equals);
    const bool octal = key == "mode" || key == "ptmxmode";
    const std::optional<uint32_t> value = ParseNumber(option.substr(equals + 1), octal ? 8 : 10);
    if (!value || (octal && *value > 07777)) return Errno(EINVAL);
    if (key == "mode") {
      options.mode = *value;
    } else if (key == "ptmxmode") {
      options.ptmx_mode = *value;
    } else if (key == "uid") {
      options.uid = *value;
    } else if (key == "gid") {
      options.gid = *value;
    } else if (key == "max" && *value <= kMostPtys) {
      options.maximum = *value;
    } else {
      return Errno(EINVAL);
    }
  }
  return options;
}

DevptsSuperblock::DevptsSuperblock(const DevptsOptions& options)
    : Superblock("devpts"), options_(options) {}

DevptsSuperblock::~DevptsSuperblock() = default;

Result<vfs::FilesystemStatus> DevptsSuperblock::Status() {
  vfs::FilesystemStatus status;
  status.magic = kDevptsMagic;
  return status;
}

std::string DevptsSuperblock::ShowOptions() const {
  char text[96];
  std::string shown;
  if (options_.uid != ~0U) shown.append("uid=").append(std::to_string(options_.uid)).append(",");
  if (options_.gid != ~0U) shown.append("gid=").append(std::to_string(options_.gid)).append(",");
  snprintf(text, sizeof(text), "mode=%03o,ptmxmode=%03o", options_.mode, options_.ptmx_mode);
  return shown.append(text);
}

Result<RefPtr<Pty>> DevptsSuperblock::AddPty(const vfs::Caller& caller) {
  const uint32_t uid = options_.uid != ~0U ? options_.uid : caller.uid;
  const uint32_t gid = options_.gid != ~0U ? options_.gid : caller.gid;
  MutexLock lock(&mu_);
  if (slaves_.size() >= options_.maximum) return Errno(ENOSPC);
  int number = 0;
  for (const auto& [used, inode] : slaves_) {
    if (used != number) break;
    ++number;
  }
  auto pty = MakeRef<Pty>(number);
  slaves_.emplace(number, MakeRef<SlaveInodeImpl>(RefPtr<DevptsSuperblock>(this), pty, uid, gid));
  return pty;
}

void DevptsSuperblock::RemovePty(int number) {
  RefPtr<vfs::Inode> inode;  // Goes after the lock.
  MutexLock lock(&mu_);
  auto found = slaves_.find(number);
  if (found == slaves_.end()) return;
  inode = std::move(found->second);
  slaves_.erase(found);
}

RefPtr<vfs::Inode> DevptsSuperblock::SlaveInode(int number) {
  MutexLock lock(&mu_);
  auto found = slaves_.find(number);
  return found == slaves_.end() ? nullptr : found->second;
}

int DevptsSuperblock::NextPty(int from) {
  MutexLock lock(&mu_);
  auto found = slaves_.lower_bound(from);
  return found == slaves_.end() ? -1 : found->first;
}

RefPtr<vfs::Inode> NewDevptsRoot(const DevptsOptions& options) {
  return MakeRef<RootInode>(MakeRef<DevptsSuperblock>(options));
}

RefPtr<vfs::Mount> NewDevptsMount(const DevptsOptions& options, unsigned long flags,
                                  std::string source) {
  RefPtr<vfs::Inode> root = NewDevptsRoot(options);
  RefPtr<vfs::Superblock> superblock = root->superblock();
  auto dentry = MakeRef<vfs::Dentry>(superblock, nullptr, std::string(), std::move(root));
  return MakeRef<vfs::Mount>(std::move(superblock), std::move(dentry), flags, std::move(source));
}

}  // namespace redoubt::fs
