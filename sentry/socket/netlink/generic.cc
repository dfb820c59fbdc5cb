// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/netlink/generic.h"

#include <linux/genetlink.h>

namespace redoubt::netlink {

namespace {

constexpr uint32_t kControllerVersion = 2;
constexpr uint32_t kNotifyGroup = 16;

// ctrl_fill_info() of the controller itself.
void FillController(MessageBuilder& message) {
  message.PutHeader(
      genlmsghdr{.cmd = CTRL_CMD_NEWFAMILY, .version = kControllerVersion, .reserved = 0});
  message.PutString(CTRL_ATTR_FAMILY_NAME, "nlctrl");
  message.Put(CTRL_ATTR_FAMILY_ID, uint16_t{GENL_ID_CTRL});
  message.Put(CTRL_ATTR_VERSION, kControllerVersion);
  message.Put(CTRL_ATTR_HDRSIZE, uint32_t{0});
  message.Put(CTRL_ATTR_MAXATTR, uint32_t{CTRL_ATTR_MAX});
  {
    Nest operations(message, CTRL_ATTR_OPS);
    Nest first(message, 1);
    message.Put(CTRL_ATTR_OP_ID, uint32_t{CTRL_CMD_GETFAMILY});
    message.Put(CTRL_ATTR_OP_FLAGS, uint32_t{GENL_CMD_CAP_DO | GENL_CMD_CAP_DUMP});
  }
  Nest groups(message, CTRL_ATTR_MCAST_GROUPS);
  Nest first(message, 1);
  message.Put(CTRL_ATTR_MCAST_GRP_ID, kNotifyGroup);
  message.PutString(CTRL_ATTR_MCAST_GRP_NAME, "notify");
}

Result<void> DumpFamilies(Request& request) {
  MessageBuilder message = request.NewMessage(GENL_ID_CTRL, NLM_F_MULTI);
  FillController(message);
  return request.StartDump([only = std::optional<Bytes>(std::move(message).Finish())]() mutable {
    return std::exchange(only, std::nullopt);
  });
}

Result<void> GetFamily(Request& request) {
  AttributeSet attributes =
      TRY(AttributeSet::Parse(After<genlmsghdr>(request.payload), CTRL_ATTR_MAX));
  const bool has_id = attributes.Has(CTRL_ATTR_FAMILY_ID);
  if (has_id && attributes.Raw(CTRL_ATTR_FAMILY_ID).size() < sizeof(uint16_t)) return Errno(ERANGE);
  const uint16_t id = ReadStruct<uint16_t>(attributes.Raw(CTRL_ATTR_FAMILY_ID)).value_or(0);
  std::optional<std::string> name =
      TRY(attributes.GetString(CTRL_ATTR_FAMILY_NAME, GENL_NAMSIZ - 1));
  if (!has_id && !name) return Errno(EINVAL);
  if ((has_id && id != GENL_ID_CTRL) || (name && *name != "nlctrl")) return Errno(ENOENT);
  MessageBuilder message = request.NewMessage(GENL_ID_CTRL);
  FillController(message);
  request.Reply(std::move(message).Finish());
  return {};
}

}  // namespace

// genl_rcv_msg().
Result<void> GenericProtocol::Handle(Request& request) {
  if (request.header.nlmsg_type != GENL_ID_CTRL) return Errno(ENOENT);
  std::optional<genlmsghdr> header = ReadStruct<genlmsghdr>(request.payload);
  if (!header) return Errno(EINVAL);
  if (header->cmd != CTRL_CMD_GETFAMILY) return Errno(EOPNOTSUPP);
  return request.IsDump() ? DumpFamilies(request) : GetFamily(request);
}

}  // namespace redoubt::netlink
