// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/tmpfs/tmpfs.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "sentry/fs/tmpfs/contents.h"
#include "sentry/fs/tmpfs/directory.h"

namespace redoubt::tmpfs {

namespace {

constexpr uint64_t kMagic = 0x01021994;  // TMPFS_MAGIC
constexpr uint64_t kMaxDefaultInodes = 1 << 20;

uint64_t MemoryPages() {
  static const auto pages = static_cast<uint64_t>(std::max(sysconf(_SC_PHYS_PAGES), 1L));
  return pages;
}

// The whole of `text` as a number.
template <typename T>
Result<T> ParseNumber(std::string_view text, int base = 10) {
  T value = 0;
  const char* end = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), end, value, base);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return Errno(EINVAL);
  return value;
}

// memparse(): a number with k, m, g, t, or a percentage of the machine's memory.
Result<uint64_t> ParseSize(std::string_view text, bool percent_allowed) {
  if (text.empty()) return Errno(EINVAL);
  uint64_t unit = 1;
  switch (text.back()) {
    case 'k':
    case 'K':
      unit = uint64_t{1} << 10;
      break;
    case 'm':
    case 'M':
      unit = uint64_t{1} << 20;
      break;
    case 'g':
    case 'G':
      unit = uint64_t{1} << 30;
      break;
    case 't':
    case 'T':
      unit = uint64_t{1} << 40;
      break;
    case '%':
      unit = 0;
      break;
    default:
      break;
  }
  if (unit != 1) text.remove_suffix(1);
  uint64_t value = TRY(ParseNumber<uint64_t>(text));
  if (unit == 0) {
    if (!percent_allowed || value > 1000) return Errno(EINVAL);
    return MemoryPages() * kPageSize / 100 * value;
  }
  uint64_t bytes;
  if (__builtin_mul_overflow(value, unit, &bytes)) return Errno(EINVAL);
  return bytes;
}

Result<uint32_t> ParseMode(std::string_view text) {
  uint32_t mode = TRY(ParseNumber<uint32_t>(text, 8));
  return mode & 07777;
}

bool IsHarmless(std::string_view key) {
  return key == "huge" || key == "mpol" || key == "inode32" || key == "inode64" ||
         key == "noswap" || key == "seclabel" || key == "rw" || key == "ro" || key == "tmpcopyup" ||
         key == "context";
}

Result<void> ParseOption(std::string_view key, std::string_view value, Options& options) {
  if (key == "size") {
    options.size = TRY(ParseSize(value, true));
  } else if (key == "nr_blocks") {
    uint64_t blocks = TRY(ParseSize(value, false));
    uint64_t bytes;
    if (__builtin_mul_overflow(blocks, kPageSize, &bytes)) return Errno(EINVAL);
    options.size = bytes;
  } else if (key == "nr_inodes") {
    options.inodes = TRY(ParseSize(value, false));
  } else if (key == "mode") {
    options.mode = TRY(ParseMode(value));
  } else if (key == "uid") {
    options.uid = TRY(ParseNumber<uint32_t>(value));
  } else if (key == "gid") {
    options.gid = TRY(ParseNumber<uint32_t>(value));
  } else if (!IsHarmless(key)) {
    return Errno(EINVAL);
  }
  return {};
}

// 0 means no limit, as in Linux.
uint64_t PageLimit(const Options& options) {
  if (!options.size) return std::max<uint64_t>(MemoryPages() / 2, 1);
  if (*options.size == 0) return Budget::kUnlimited;
  return *options.size / kPageSize + (*options.size % kPageSize != 0);
}

uint64_t InodeLimit(const Options& options) {
  if (!options.inodes) return std::min(MemoryPages(), kMaxDefaultInodes);
  return *options.inodes == 0 ? Budget::kUnlimited : *options.inodes;
}

}  // namespace

Result<Options> ParseOptions(std::string_view text) {
  Options options;
  while (!text.empty()) {
    std::string_view option = text.substr(0, text.find(','));
    text.remove_prefix(std::min(option.size() + 1, text.size()));
    if (option.empty()) continue;
    size_t equals = option.find('=');
    std::string_view value =
        equals == std::string_view::npos ? std::string_view() : option.substr(equals + 1);
    TRY(ParseOption(option.substr(0, equals), value, options));
  }
  return options;
}

TmpfsSuperblock::TmpfsSuperblock(const Options& options)
    : Superblock("tmpfs"),
      options_(options),
      pages_(PageLimit(options)),
      inodes_(InodeLimit(options)) {}

Result<vfs::FilesystemStatus> TmpfsSuperblock::Status() {
  vfs::FilesystemStatus status;
  status.magic = kMagic;
  status.block_size = kPageSize;
  if (pages_.limit() != Budget::kUnlimited) {
    status.blocks = pages_.limit();
    status.blocks_free = status.blocks_available = pages_.free();
  }
  if (inodes_.limit() != Budget::kUnlimited) {
    status.files = inodes_.limit();
    status.files_free = inodes_.free();
  }
  return status;
}

std::string TmpfsSuperblock::ShowOptions() const {
  std::string text;
  auto add = [&](std::string_view key, const std::string& value) {
    if (!text.empty()) text += ',';
    text.append(key).append("=").append(value);
  };
  char octal[8];
  std::snprintf(octal, sizeof(octal), "%o", options_.mode & 07777);
  if (options_.size && *options_.size > 0) {
    add("size", std::to_string(pages_.limit() * kPageSize / 1024) + "k");
  }
  if (options_.inodes && *options_.inodes > 0) add("nr_inodes", std::to_string(*options_.inodes));
  if (options_.mode != 01777) add("mode", octal);
  if (options_.uid != 0) add("uid", std::to_string(options_.uid));
  if (options_.gid != 0) add("gid", std::to_string(options_.gid));
  return text;
}

RefPtr<vfs::Inode> NewRoot(const Options& options) {
  auto superblock = MakeRef<TmpfsSuperblock>(options);
  superblock->inodes().ForceCharge(1);
  vfs::CreateRequest request{.mode = S_IFDIR | (options.mode & 07777)};
  request.uid = options.uid;
  request.gid = options.gid;
  return MakeRef<Directory>(std::move(superblock), request);
}

RefPtr<vfs::Mount> NewMount(const Options& options, unsigned long flags, std::string source) {
  RefPtr<vfs::Inode> root = NewRoot(options);
  RefPtr<vfs::Superblock> superblock = root->superblock();
  auto dentry = MakeRef<vfs::Dentry>(superblock, nullptr, std::string(), std::move(root));
  return MakeRef<vfs::Mount>(std::move(superblock), std::move(dentry), flags, std::move(source));
}

}  // namespace redoubt::tmpfs
