// SPDX-License-Identifier: Apache-2.0
//
// Extended attributes. The gofer decides what is allowed; what it refuses anyway is refused here
// without a trip, since `ls -l` and every exec ask for such names.
#include "sentry/fs/gofer/gofer_inode.h"

namespace redoubt::gofer_fs {
namespace {

constexpr std::string_view kFileCapabilities = "security.capability";

bool IsUser(std::string_view name) { return name.starts_with("user."); }

}  // namespace

Result<std::string> GoferInode::GetXattr(std::string_view name) {
  bool is_capability = name == kFileCapabilities;
  if (!IsUser(name) && !is_capability) return Errno(EOPNOTSUPP);
  if (is_capability && no_file_capabilities_.load(std::memory_order_relaxed)) return Errno(ENODATA);
  gofer::Exchange exchange;
  exchange.request.mutable_get_xattr()->set_handle(handle());
  exchange.request.mutable_get_xattr()->set_name(std::string(name));
  Result<void> asked = gofer_.channel().Call(&exchange);
  if (asked.ok()) return exchange.response.value();
  // Nobody can set one in an exclusive tree, so none there is none for ever.
  if (is_capability && asked.Is(ENODATA) && !gofer_.shared())
    no_file_capabilities_.store(true, std::memory_order_relaxed);
  return asked.error();
}

Result<void> GoferInode::SetXattr(std::string_view name, std::string_view value, int flags) {
  if (!IsUser(name)) return Errno(EOPNOTSUPP);
  if (value.size() > gofer::kMostXattrBytes) return Errno(E2BIG);
  gofer::Exchange exchange;
  gofer::SetXattrRequest* set = exchange.request.mutable_set_xattr();
  set->set_handle(handle());
  set->set_name(std::string(name));
  set->set_value(std::string(value));
  set->set_flags(static_cast<uint32_t>(flags));
  TRY(gofer_.channel().Call(&exchange));
  MarkStale();  // The change time.
  return {};
}

Result<void> GoferInode::RemoveXattr(std::string_view name) {
  if (!IsUser(name)) return Errno(EOPNOTSUPP);
  gofer::Exchange exchange;
  exchange.request.mutable_remove_xattr()->set_handle(handle());
  exchange.request.mutable_remove_xattr()->set_name(std::string(name));
  TRY(gofer_.channel().Call(&exchange));
  MarkStale();
  return {};
}

Result<std::vector<std::string>> GoferInode::ListXattrs() {
  gofer::Exchange exchange;
  exchange.request.mutable_list_xattrs()->set_handle(handle());
  TRY(gofer_.channel().Call(&exchange));
  return std::vector<std::string>(exchange.response.names().begin(),
                                  exchange.response.names().end());
}

}  // namespace redoubt::gofer_fs
