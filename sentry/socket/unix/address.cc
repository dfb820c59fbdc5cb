// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/unix/address.h"

#include <sys/un.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/sync/mutex.h"
#include "sentry/socket/unix/endpoint.h"
#include "sentry/vfs/path_walk.h"

namespace redoubt::sockets {

namespace {

constexpr size_t kPathOffset = offsetof(sockaddr_un, sun_path);
constexpr uint32_t kMayWrite = 2;

struct AbstractTable {
  Mutex<LockRank::kLeaf> mu;
  absl::flat_hash_map<std::string, RefPtr<Endpoint>> names ABSL_GUARDED_BY(mu);
  uint32_t next_automatic ABSL_GUARDED_BY(mu) = 0;
};
AbstractTable& Abstract() {
  static auto* table = new AbstractTable;
  return *table;
}

Result<RefPtr<Endpoint>> FindByPath(const vfs::Caller& caller, const std::string& text) {
  const vfs::Path path = TRY(vfs::Walk(caller, caller.working_directory, text, {}));
  TRY(vfs::CheckPermission(caller, path, kMayWrite));
  if (path.dentry->inode()->type() != S_IFSOCK) return Errno(ECONNREFUSED);
  const RefPtr<vfs::InodeAttachment> attachment = path.dentry->inode()->attachment();
  auto* bound = dynamic_cast<BoundEndpoint*>(attachment.get());
  if (bound == nullptr) return Errno(ECONNREFUSED);
  return bound->endpoint();
}

}  // namespace

Result<UnixName> ParseUnixAddress(const SocketAddress& address) {
  const auto bytes = address.bytes();
  if (bytes.size() < kPathOffset || bytes.size() > sizeof(sockaddr_un) ||
      address.family() != AF_UNIX) {
    return Errno(EINVAL);
  }
  UnixName name;
  const auto* text = reinterpret_cast<const char*>(bytes.data()) + kPathOffset;
  const size_t length = bytes.size() - kPathOffset;
  if (length == 0) return name;
  if (text[0] == '\0') {
    name.kind = UnixName::Kind::kAbstract;
    name.text.assign(text + 1, length - 1);
  } else {
    name.kind = UnixName::Kind::kPath;
    name.text.assign(text, strnlen(text, length));
  }
  return name;
}

SocketAddress ToUnixAddress(const UnixName& name) {
  std::array<std::byte, abi::kMaximumAddressLength> bytes{};
  const uint16_t family = AF_UNIX;
  std::memcpy(bytes.data(), &family, sizeof(family));
  size_t length = kPathOffset;
  if (name.kind != UnixName::Kind::kNone) {
    const size_t start = kPathOffset + (name.kind == UnixName::Kind::kAbstract ? 1 : 0);
    std::memcpy(bytes.data() + start, name.text.data(), name.text.size());
    // A pathname is given back with its final zero.
    length += name.text.size() + 1;
  }
  return SocketAddress::From(std::span(bytes.data(), length)).value();
}

BoundEndpoint::BoundEndpoint(RefPtr<Endpoint> endpoint) : endpoint_(std::move(endpoint)) {}
BoundEndpoint::~BoundEndpoint() = default;

Result<RefPtr<Endpoint>> FindEndpoint(const vfs::Caller& caller, const UnixName& name) {
  switch (name.kind) {
    case UnixName::Kind::kNone:
      return Errno(EINVAL);
    case UnixName::Kind::kPath:
      return FindByPath(caller, name.text);
    case UnixName::Kind::kAbstract:
      break;
  }
  MutexLock lock(&Abstract().mu);
  auto found = Abstract().names.find(name.text);
  if (found == Abstract().names.end()) return Errno(ECONNREFUSED);
  return found->second;
}

Result<void> BindAbstract(const std::string& name, const RefPtr<Endpoint>& endpoint) {
  MutexLock lock(&Abstract().mu);
  if (!Abstract().names.try_emplace(name, endpoint).second) return Errno(EADDRINUSE);
  return {};
}

Result<std::string> BindAutomatically(const RefPtr<Endpoint>& endpoint) {
  constexpr uint32_t kNames = 1 << 20;
  MutexLock lock(&Abstract().mu);
  for (uint32_t tries = 0; tries < kNames; ++tries) {
    char text[8];
    snprintf(text, sizeof(text), "%05x", ++Abstract().next_automatic % kNames);
    if (Abstract().names.try_emplace(text, endpoint).second) return std::string(text);
  }
  return Errno(ENOSPC);
}

void UnbindAbstract(const std::string& name) {
  RefPtr<Endpoint> removed;  // Goes after the lock.
  MutexLock lock(&Abstract().mu);
  auto found = Abstract().names.find(name);
  if (found == Abstract().names.end()) return;
  removed = std::move(found->second);
  Abstract().names.erase(found);
}

}  // namespace redoubt::sockets
