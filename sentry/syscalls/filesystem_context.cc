// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/filesystem_context.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sentry/fs/anon/anonymous_inode.h"
#include "sentry/fs/tmpfs/tmpfs.h"

namespace redoubt::syscalls {

namespace {

vfs::Path ContextPath() {
  return fs::MakeAnonymousPath(fs::AnonymousKind::kAnonymous, "fscontext", 0600, 0, 0);
}

// The words of vfs_parse_sb_flag() that change what is made here, and those that do not.
bool ApplyCommonFlag(std::string_view key, unsigned long& flags) {
  if (key == "ro") {
    flags |= MS_RDONLY;
  } else if (key == "rw") {
    flags &= ~static_cast<unsigned long>(MS_RDONLY);
  } else if (key == "sync") {
    flags |= MS_SYNCHRONOUS;
  } else {
    constexpr std::array<std::string_view, 6> kWithoutEffect = {"async", "dirsync", "lazytime",
                                                                "mand",  "nomand",  "nolazytime"};
    return std::find(kWithoutEffect.begin(), kWithoutEffect.end(), key) != kWithoutEffect.end();
  }
  return true;
}

}  // namespace

RefPtr<FilesystemContext> FilesystemContext::Create(std::string type) {
  return MakeRef<FilesystemContext>(ContextPath(), std::move(type), nullptr);
}

RefPtr<FilesystemContext> FilesystemContext::CreateFor(RefPtr<vfs::Mount> mount) {
  std::string type(mount->superblock()->type());
  return MakeRef<FilesystemContext>(ContextPath(), std::move(type), std::move(mount));
}

FilesystemContext::FilesystemContext(vfs::Path path, std::string type, RefPtr<vfs::Mount> mount)
    : FileDescription(std::move(path), O_RDWR),
      phase_(mount ? Phase::kReconfigureParameters : Phase::kCreateParameters),
      mount_(std::move(mount)) {
  request_.type = std::move(type);
  request_.flags = mount_ ? mount_->flags() : 0;
}

void FilesystemContext::ComplainLocked(std::string text) {
  constexpr size_t kLines = 8;
  if (log_.size() == kLines) log_.pop_front();
  log_.push_back(absl::StrCat("e ", request_.type, ": ", text, "\n"));
}

Result<void> FilesystemContext::TryParameterLocked(std::string_view key, const std::string* value) {
  if (key == "source") {
    if (value == nullptr || !request_.source.empty()) {
      ComplainLocked(value == nullptr ? "Non-string source" : "Multiple sources");
      return Errno(EINVAL);
    }
    request_.source = *value;
    return {};
  }
  if (value == nullptr && ApplyCommonFlag(key, request_.flags)) return {};
  absl::string_view name(key.data(), key.size());
  std::string word = value == nullptr ? std::string(key) : absl::StrCat(name, "=", *value);
  bool is_tmpfs = request_.type == "tmpfs" || request_.type == "ramfs";
  bool is_word = word.find(',') == std::string::npos && !key.empty();
  if (!is_tmpfs || !is_word || !tmpfs::ParseOptions(word).ok()) {
    ComplainLocked(absl::StrCat("Unknown parameter '", name, "'"));
    return Errno(EINVAL);
  }
  constexpr size_t kMost = 4095;  // As much as mount(2) takes.
  if (request_.data.size() + word.size() + 1 > kMost) return Errno(EINVAL);
  absl::StrAppend(&request_.data, request_.data.empty() ? "" : ",", word);
  return {};
}

Result<void> FilesystemContext::SetParameter(std::string_view key, const std::string* value) {
  MutexLock lock(&context_mu_);
  if (phase_ != Phase::kCreateParameters && phase_ != Phase::kReconfigureParameters) {
    return Errno(EBUSY);
  }
  return TryParameterLocked(key, value);
}

Result<void> FilesystemContext::MakeFilesystem(kernel::Task& task) {
  FilesystemRequest request;
  {
    MutexLock lock(&context_mu_);
    if (phase_ != Phase::kCreateParameters) return Errno(EBUSY);
    phase_ = Phase::kFailed;  // Until it is made.
    request = request_;
  }
  if (request.source.empty()) request.source = "none";
  RefPtr<vfs::Mount> made = TRY(NewFilesystem(task, request));
  MutexLock lock(&context_mu_);
  mount_ = std::move(made);
  phase_ = Phase::kAwaitingMount;
  return {};
}

Result<void> FilesystemContext::Reconfigure() {
  MutexLock lock(&context_mu_);
  if (phase_ != Phase::kReconfigureParameters) return Errno(EBUSY);
  mount_->set_flags((mount_->flags() & ~static_cast<unsigned long>(MS_RDONLY)) |
                    (request_.flags & MS_RDONLY));
  return {};
}

Result<RefPtr<vfs::Mount>> FilesystemContext::TakeMount() {
  MutexLock lock(&context_mu_);
  if (!mount_) return Errno(EINVAL);
  if (phase_ != Phase::kAwaitingMount) return Errno(EBUSY);
  phase_ = Phase::kReconfigureParameters;
  return mount_;
}

Result<size_t> FilesystemContext::Read(std::span<std::byte> buffer) {
  MutexLock lock(&context_mu_);
  if (log_.empty()) return Errno(ENODATA);
  std::string line = std::move(log_.front());
  log_.pop_front();
  if (line.size() > buffer.size()) return Errno(EMSGSIZE);
  std::memcpy(buffer.data(), line.data(), line.size());
  return line.size();
}

}  // namespace redoubt::syscalls
