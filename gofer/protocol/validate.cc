// SPDX-License-Identifier: Apache-2.0
#include "gofer/protocol/validate.h"

#include <algorithm>

namespace redoubt::gofer {
namespace {

constexpr uint32_t kMostErrno = 4095;
constexpr uint32_t kNanosecondsPerSecond = 1'000'000'000;

bool IsValidTarget(std::string_view target) {
  return !target.empty() && target.size() <= kMostLinkTargetBytes &&
         target.find('\0') == std::string_view::npos;
}

bool IsValid(const FileTime& time) { return time.nanoseconds() < kNanosecondsPerSecond; }

bool IsValid(const WalkRequest& walk) {
  return walk.names_size() > 0 && walk.names_size() <= kMostWalkNames &&
         std::all_of(walk.names().begin(), walk.names().end(), IsValidName);
}

bool IsValid(const CheckRequest& check) {
  return check.steps_size() > 0 && check.steps_size() <= kMostWalkNames &&
         std::all_of(check.steps().begin(), check.steps().end(),
                     [](const CheckStep& step) { return IsValidName(step.name()); });
}

bool IsValid(const SetAttributesRequest& set) {
  return IsValid(set.access_time()) && IsValid(set.modify_time()) && set.mode() <= 07777 &&
         set.size() <= INT64_MAX;
}

bool IsValid(const CreateRequest& create) {
  bool is_link = (create.mode() & 0170000) == 0120000;
  return (create.name().empty() || IsValidName(create.name())) && create.mode() <= 0177777 &&
         (is_link ? IsValidTarget(create.link_target()) : create.link_target().empty());
}

bool IsValid(const RenameRequest& rename) {
  return IsValidName(rename.name()) && IsValidName(rename.new_name());
}

bool IsValid(const SetXattrRequest& set) {
  return IsValidXattrName(set.name()) && set.value().size() <= kMostXattrBytes;
}

bool IsValidOperation(const Request& request) {
  switch (request.operation_case()) {
    case Request::kWalk:
      return IsValid(request.walk());
    case Request::kCheck:
      return IsValid(request.check());
    case Request::kSetAttributes:
      return IsValid(request.set_attributes());
    case Request::kCreate:
      return IsValid(request.create());
    case Request::kLink:
      return IsValidName(request.link().name());
    case Request::kUnlink:
      return IsValidName(request.unlink().name());
    case Request::kRename:
      return IsValid(request.rename());
    case Request::kReadDirectory:
      return request.read_directory().cookie() >= 0;
    case Request::kGetXattr:
      return IsValidXattrName(request.get_xattr().name());
    case Request::kSetXattr:
      return IsValid(request.set_xattr());
    case Request::kRemoveXattr:
      return IsValidXattrName(request.remove_xattr().name());
    case Request::OPERATION_NOT_SET:
      return false;
    default:
      return true;
  }
}

bool IsValid(const Attributes& attributes) {
  return attributes.size() <= INT64_MAX &&
         attributes.access_nanoseconds() < kNanosecondsPerSecond &&
         attributes.modify_nanoseconds() < kNanosecondsPerSecond &&
         attributes.change_nanoseconds() < kNanosecondsPerSecond &&
         attributes.birth_nanoseconds() < kNanosecondsPerSecond;
}

bool IsValidNode(const FileNode& node) {
  return node.handle() != 0 && IsValid(node.attributes()) &&
         (node.link_target().empty() || IsValidTarget(node.link_target()));
}

bool IsValidEntry(const DirectoryEntry& entry) {
  return IsValidName(entry.name()) && entry.type() < 16;
}

template <typename Message>
Result<void> Parse(std::span<const std::byte> bytes, Message* message) {
  if (bytes.size() > kMostMessageBytes) return Errno(EBADMSG);
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Errno(EBADMSG);
  return {};
}

}  // namespace

bool IsValidName(std::string_view name) {
  return !name.empty() && name.size() <= kMostNameBytes && name != "." && name != ".." &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

bool IsValidXattrName(std::string_view name) {
  size_t dot = name.find('.');
  return dot != std::string_view::npos && dot > 0 && dot + 1 < name.size() &&
         name.size() <= kMostNameBytes && name.find('\0') == std::string_view::npos;
}

Result<void> DecodeRequest(std::span<const std::byte> bytes, Request* request) {
  TRY(Parse(bytes, request));
  if (request->released_size() > kMostReleased || !IsValidOperation(*request))
    return Errno(EBADMSG);
  return {};
}

Result<void> DecodeResponse(std::span<const std::byte> bytes, Response* response) {
  TRY(Parse(bytes, response));
  bool good = response->error() <= kMostErrno && response->nodes_size() <= kMostWalkNames &&
              std::all_of(response->nodes().begin(), response->nodes().end(), IsValidNode) &&
              std::all_of(response->entries().begin(), response->entries().end(), IsValidEntry) &&
              response->checked_size() <= kMostWalkNames &&
              std::all_of(response->checked().begin(), response->checked().end(),
                          [](const Attributes& attributes) { return IsValid(attributes); }) &&
              IsValid(response->attributes()) && IsValid(response->directory()) &&
              IsValid(response->new_directory()) && response->cookie() >= 0;
  if (!good) return Errno(EBADMSG);
  return {};
}

Result<size_t> Encode(const google::protobuf::MessageLite& message, std::span<std::byte> buffer) {
  size_t size = message.ByteSizeLong();
  if (size > buffer.size() || size > kMostMessageBytes) return Errno(EMSGSIZE);
  message.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(buffer.data()));
  return size;
}

}  // namespace redoubt::gofer
