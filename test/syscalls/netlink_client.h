// SPDX-License-Identifier: Apache-2.0
//
// A small netlink client for tests.
//
//   NetlinkClient client(NETLINK_ROUTE);
//   Message request(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, ifinfomsg{});
//   for (const Reply& reply : client.Dump(request)) ...
//   EXPECT_EQ(client.Ask(request.Put(IFLA_MTU, 1500)), 0);       // Its acknowledgement's errno.
//
// Natively each test binary works in a network namespace of its own, so that what it finds and
// changes is like the sandbox's: lo, and nothing else.

#ifndef REDOUBT_TEST_SYSCALLS_NETLINK_CLIENT_H_
#define REDOUBT_TEST_SYSCALLS_NETLINK_CLIENT_H_

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "test/util/file_descriptor.h"
#include "test/util/platform.h"
#include "test/util/syscall_matchers.h"

namespace redoubt::test {

// Before the first test: natively, a namespace with lo up.
class OwnNetwork : public ::testing::Environment {
 public:
  void SetUp() override {
    if (InSandbox()) return;
    if (unshare(CLONE_NEWNET) != 0) GTEST_SKIP() << "needs a network namespace of its own";
    FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM, 0));
    ifreq lo = {};
    strcpy(lo.ifr_name, "lo");
    lo.ifr_flags = IFF_UP | IFF_LOOPBACK;
    ASSERT_THAT(ioctl(socket.get(), SIOCSIFFLAGS, &lo), SyscallSucceeds());
  }
};

class Message {
 public:
  template <typename Header>
  Message(uint16_t type, uint16_t flags, const Header& header) {
    nlmsghdr message = {};
    message.nlmsg_type = type;
    message.nlmsg_flags = flags;
    Append(&message, sizeof(message));
    Append(&header, sizeof(header));
  }
  Message& PutBytes(uint16_t type, const void* data, size_t size) {
    rtattr attribute = {};
    attribute.rta_type = type;
    attribute.rta_len = static_cast<uint16_t>(RTA_LENGTH(size));
    Append(&attribute, sizeof(attribute));
    Append(data, size);
    return *this;
  }
  template <typename T>
  Message& Put(uint16_t type, const T& value) {
    return PutBytes(type, &value, sizeof(value));
  }
  Message& PutString(uint16_t type, const std::string& value) {
    return PutBytes(type, value.c_str(), value.size() + 1);
  }
  size_t BeginNest(uint16_t type) {
    size_t at = bytes_.size();
    PutBytes(type, nullptr, 0);
    return at;
  }
  void EndNest(size_t at) {
    uint16_t length = static_cast<uint16_t>(bytes_.size() - at);
    memcpy(bytes_.data() + at, &length, sizeof(length));
  }
  nlmsghdr& header() {
    auto* header = reinterpret_cast<nlmsghdr*>(bytes_.data());
    header->nlmsg_len = static_cast<uint32_t>(bytes_.size());
    return *header;
  }
  std::vector<char>& bytes() {
    header();
    return bytes_;
  }

 private:
  void Append(const void* data, size_t size) {
    const char* from = static_cast<const char*>(data);
    if (size > 0) bytes_.insert(bytes_.end(), from, from + size);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }
  std::vector<char> bytes_;
};

// One message that came back.
struct Reply {
  nlmsghdr header = {};
  std::vector<char> payload;

  template <typename T>
  T As() const {
    T value = {};
    memcpy(&value, payload.data(), std::min(sizeof(value), payload.size()));
    return value;
  }
  // The attributes behind a header of type T.
  template <typename T>
  std::map<int, std::string> Attributes() const {
    return ParseAttributes(payload.data() + NLMSG_ALIGN(sizeof(T)),
                           payload.size() - NLMSG_ALIGN(sizeof(T)));
  }
  static std::map<int, std::string> ParseAttributes(const char* data, size_t size) {
    std::map<int, std::string> found;
    while (size >= sizeof(rtattr)) {
      rtattr attribute;
      memcpy(&attribute, data, sizeof(attribute));
      if (attribute.rta_len < sizeof(rtattr) || attribute.rta_len > size) break;
      found[attribute.rta_type & NLA_TYPE_MASK] =
          std::string(data + sizeof(rtattr), attribute.rta_len - sizeof(rtattr));
      size_t step = std::min<size_t>(size, NLMSG_ALIGN(attribute.rta_len));
      data += step;
      size -= step;
    }
    return found;
  }
};

template <typename T>
T ValueOf(const std::string& bytes) {
  T value = {};
  memcpy(&value, bytes.data(), std::min(sizeof(value), bytes.size()));
  return value;
}

class NetlinkClient {
 public:
  explicit NetlinkClient(int protocol, int flags = 0)
      : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, protocol)) {
    EXPECT_TRUE(socket_.valid());
  }
  int fd() const { return socket_.get(); }
  int Set(int option, int value) {
    return setsockopt(fd(), SOL_NETLINK, option, &value, sizeof(value));
  }

  void Send(Message& message) {
    message.header().nlmsg_seq = ++sequence_;
    sockaddr_nl kernel = {};
    kernel.nl_family = AF_NETLINK;
    ASSERT_THAT(sendto(fd(), message.bytes().data(), message.bytes().size(), 0,
                       reinterpret_cast<sockaddr*>(&kernel), sizeof(kernel)),
                SyscallSucceedsWithValue(static_cast<ssize_t>(message.bytes().size())));
  }
  // All messages of the next datagram.
  std::vector<Reply> Receive(int flags = 0, size_t capacity = 65536) {
    std::vector<char> buffer(capacity);
    ssize_t size = recv(fd(), buffer.data(), buffer.size(), flags);
    if (size < 0) return {};
    std::vector<Reply> replies;
    size_t left = static_cast<size_t>(size);
    const char* data = buffer.data();
    while (left >= sizeof(nlmsghdr)) {
      Reply reply;
      memcpy(&reply.header, data, sizeof(nlmsghdr));
      if (reply.header.nlmsg_len < sizeof(nlmsghdr) || reply.header.nlmsg_len > left) break;
      reply.payload.assign(data + sizeof(nlmsghdr), data + reply.header.nlmsg_len);
      replies.push_back(reply);
      size_t step = std::min<size_t>(left, NLMSG_ALIGN(reply.header.nlmsg_len));
      data += step;
      left -= step;
    }
    return replies;
  }
  // Until NLMSG_DONE, without it; `error` gets what that or NLMSG_ERROR has.
  std::vector<Reply> Dump(Message& message, int* error = nullptr) {
    Send(message);
    std::vector<Reply> all;
    while (true) {
      std::vector<Reply> replies = Receive();
      if (replies.empty()) return all;
      for (Reply& reply : replies) {
        if (reply.header.nlmsg_type == NLMSG_DONE) {
          if (error != nullptr) *error = -reply.As<int>();
          return all;
        }
        if (reply.header.nlmsg_type == NLMSG_ERROR) {
          if (error != nullptr) *error = -reply.As<int>();
          return all;
        }
        EXPECT_EQ(reply.header.nlmsg_seq, sequence_);
        all.push_back(reply);
      }
    }
  }
  // Sends with NLM_F_ACK; the errno of the answer.
  int Ask(Message message) {
    message.header().nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    Send(message);
    while (true) {
      std::vector<Reply> replies = Receive();
      if (replies.empty()) return EIO;
      for (Reply& reply : replies) {
        if (reply.header.nlmsg_type == NLMSG_ERROR) return -reply.As<int>();
      }
    }
  }
  // The only reply to a request without NLM_F_ACK.
  Reply Get(Message& message) {
    Send(message);
    std::vector<Reply> replies = Receive();
    EXPECT_EQ(replies.size(), 1u);
    return replies.empty() ? Reply() : replies[0];
  }
  uint32_t sequence() const { return sequence_; }

 private:
  FileDescriptor socket_;
  uint32_t sequence_ = 100;
};

}  // namespace redoubt::test

#endif  // REDOUBT_TEST_SYSCALLS_NETLINK_CLIENT_H_
