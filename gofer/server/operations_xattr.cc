// SPDX-License-Identifier: Apache-2.0
//
// Extended attributes, of the allowed namespaces: "user." fully; security.capability may be read
// (exec in the sandbox honours it) but not set, since the host would honour it too. "trusted." and
// the rest of "security." steer the host and are invisible, as on a file system without them.
#include <sys/xattr.h>

#include <string_view>

#include "base/host/syscall.h"
#include "gofer/protocol/validate.h"
#include "gofer/server/operations.h"
#include "gofer/server/own_descriptors.h"

namespace redoubt::gofer {
namespace {

bool MayChange(std::string_view name) { return name.starts_with("user."); }
bool MayRead(std::string_view name) { return MayChange(name) || name == "security.capability"; }

}  // namespace

Result<void> Operations::GetXattr(const GetXattrRequest& request, Response* response) {
  Node* node = TRY(nodes_.Find(request.handle()));
  if (!MayRead(request.name())) return Errno(EOPNOTSUPP);
  DescriptorPath path(TRY(nodes_.Fd(node)));
  std::string value(kMostXattrBytes, '\0');
  size_t size = TRY(host::Call(
      [&] { return getxattr(path.get(), request.name().c_str(), value.data(), value.size()); }));
  value.resize(size);
  response->set_value(std::move(value));
  return {};
}

Result<void> Operations::SetXattr(const SetXattrRequest& request) {
  Node* node = TRY(FindWritable(request.handle()));
  if (!MayChange(request.name())) return Errno(EOPNOTSUPP);
  if ((request.flags() & ~uint32_t{XATTR_CREATE | XATTR_REPLACE}) != 0) return Errno(EINVAL);
  DescriptorPath path(TRY(nodes_.Fd(node)));
  TRY(host::Call([&] {
    return setxattr(path.get(), request.name().c_str(), request.value().data(),
                    request.value().size(), static_cast<int>(request.flags()));
  }));
  return {};
}

Result<void> Operations::RemoveXattr(const RemoveXattrRequest& request) {
  Node* node = TRY(FindWritable(request.handle()));
  if (!MayChange(request.name())) return Errno(EOPNOTSUPP);
  DescriptorPath path(TRY(nodes_.Fd(node)));
  TRY(host::Call([&] { return removexattr(path.get(), request.name().c_str()); }));
  return {};
}

Result<void> Operations::ListXattrs(const ListXattrsRequest& request, Response* response) {
  Node* node = TRY(nodes_.Find(request.handle()));
  DescriptorPath path(TRY(nodes_.Fd(node)));
  std::string list(kMostXattrBytes, '\0');
  Result<size_t> size = host::Call([&] { return listxattr(path.get(), list.data(), list.size()); });
  if (size.Is(EOPNOTSUPP)) return {};
  list.resize(TRY(std::move(size)));
  std::string_view rest = list;
  while (!rest.empty()) {
    std::string_view name = rest.substr(0, rest.find('\0'));
    if (MayRead(name)) response->add_names(std::string(name));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
  }
  return {};
}

}  // namespace redoubt::gofer
