// SPDX-License-Identifier: Apache-2.0
//
// From bytes to a message that may be used, for both sides: what these functions let through has
// bounded lists, names without tricks and exactly one operation. Neither side trusts the other, so
// both call them on everything that they receive. No function here touches the host (so they can be
// fuzzed).
#ifndef GOFER_PROTOCOL_VALIDATE_H_
#define GOFER_PROTOCOL_VALIDATE_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.h"
#include "gofer/protocol/gofer.pb.h"

namespace redoubt::gofer {

// The largest message: an extended attribute's value (64 KiB) and some room.
inline constexpr size_t kMostMessageBytes = 72 * 1024;
inline constexpr int kMostWalkNames = 32;
inline constexpr int kMostReleased = 1024;
inline constexpr size_t kMostNameBytes = 255;
inline constexpr size_t kMostLinkTargetBytes = 4095;
inline constexpr size_t kMostXattrBytes = 64 * 1024;
// Entries of a directory in one Response, about: the page the gofer asks the host for.
inline constexpr size_t kDirectoryPageBytes = 32 * 1024;

// One component: 1..255 bytes, no '/', no NUL, not "." or "..".
bool IsValidName(std::string_view name);
// "user.something": a namespace with a name in it, at most 255 bytes, no NUL.
bool IsValidXattrName(std::string_view name);

// EBADMSG: no such message, or it breaks a bound.
Result<void> DecodeRequest(std::span<const std::byte> bytes, Request* request);
Result<void> DecodeResponse(std::span<const std::byte> bytes, Response* response);
// Gives how many bytes of `buffer` the message takes; EMSGSIZE.
Result<size_t> Encode(const google::protobuf::MessageLite& message, std::span<std::byte> buffer);

}  // namespace redoubt::gofer

#endif  // GOFER_PROTOCOL_VALIDATE_H_
