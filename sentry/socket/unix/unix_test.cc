// SPDX-License-Identifier: Apache-2.0
#include "sentry/socket/unix/unix.h"

#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sys/un.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "sentry/fs/pipe/pipe_file.h"
#include "sentry/fs/testing/testing.h"
#include "sentry/fs/tmpfs/vfs_fixture.h"

namespace redoubt::sockets {
namespace {

using fs::Bytes;
using fs::ReadText;
using fs::RootCaller;
using fs::WaitReady;
using fs::WriteText;

constexpr EventMask kAll = EPOLLIN | EPOLLOUT | EPOLLRDHUP;

SocketAddress Abstract(std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto bytes = std::as_bytes(std::span(&address, 1));
  return SocketAddress::From(bytes.first(offsetof(sockaddr_un, sun_path) + 1 + name.size()))
      .value();
}

SocketAddress FamilyOnly(uint16_t family) {
  return SocketAddress::From(std::as_bytes(std::span(&family, 1))).value();
}

Result<size_t> Send(Socket& socket, std::string_view text, const SocketAddress* to = nullptr,
                    ControlData control = {}) {
  SendRequest request{.data = Bytes(text),
                      .address = to,
                      .control = std::move(control),
                      .flags = 0,
                      .caller = RootCaller()};
  return socket.SendMessage(request);
}

struct Received {
  std::string text;
  ReceiveResult result;
};
Result<Received> Receive(Socket& socket, size_t size = 65536, int flags = 0,
                         bool want_control = true) {
  Received received;
  received.text.resize(size);
  received.result =
      TRY(socket.ReceiveMessage({.buffer = std::as_writable_bytes(std::span(received.text)),
                                 .flags = flags,
                                 .want_control = want_control}));
  received.text.resize(received.result.bytes);
  return received;
}

Result<int32_t> IntOption(Socket& socket, int name) {
  const std::vector<std::byte> bytes = TRY(socket.GetOption(SOL_SOCKET, name, 4));
  int32_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}
Result<void> SetInt(Socket& socket, int name, int32_t value) {
  return socket.SetOption(RootCaller(), SOL_SOCKET, name, std::as_bytes(std::span(&value, 1)));
}

class UnixTest : public testing::Test {
 protected:
  UnixTest() { RegisterUnixFamily(); }
  static RefPtr<Socket> New(int type) {
    return CreateSocket(RootCaller(), AF_UNIX, type, 0).value();
  }
  static SocketPair Pair(int type) {
    return CreateSocketPair(RootCaller(), AF_UNIX, type, 0).value();
  }
  static RefPtr<Socket> Listener(std::string_view name, int type = SOCK_STREAM, int backlog = 5) {
    auto socket = New(type);
    EXPECT_TRUE(socket->Bind(RootCaller(), Abstract(name)).ok());
    EXPECT_TRUE(socket->Listen(RootCaller(), backlog).ok());
    return socket;
  }
};

TEST_F(UnixTest, FamiliesAndTypes) {
  EXPECT_TRUE(CreateSocket(RootCaller(), AF_INET, SOCK_STREAM, 0).Is(EAFNOSUPPORT));
  EXPECT_TRUE(CreateSocket(RootCaller(), 9999, SOCK_STREAM, 0).Is(EAFNOSUPPORT));
  EXPECT_TRUE(CreateSocket(RootCaller(), AF_UNIX, SOCK_STREAM | 0x100, 0).Is(EINVAL));
  EXPECT_TRUE(CreateSocket(RootCaller(), AF_UNIX, SOCK_RDM, 0).Is(ESOCKTNOSUPPORT));
  EXPECT_TRUE(CreateSocket(RootCaller(), AF_UNIX, SOCK_STREAM, 17).Is(EPROTONOSUPPORT));
  auto socket = CreateSocket(RootCaller(), AF_UNIX, SOCK_RAW | SOCK_NONBLOCK, 0).value();
  EXPECT_EQ(IntOption(*socket, SO_TYPE).value(), SOCK_DGRAM);
  EXPECT_TRUE(socket->nonblocking());
}

TEST_F(UnixTest, StreamPairCarriesBytesBothWays) {
  auto [a, b] = Pair(SOCK_STREAM);
  EXPECT_EQ(Send(*a, "hel").value(), 3U);
  EXPECT_EQ(WriteText(*a, "lo").value(), 2U);
  EXPECT_EQ(ReadText(*b).value(), "hello");
  EXPECT_TRUE(ReadText(*b).Is(EAGAIN));
  EXPECT_EQ(WriteText(*b, "x").value(), 1U);
  EXPECT_EQ(ReadText(*a).value(), "x");
}

TEST_F(UnixTest, StreamCloseIsEndOfFileThenEpipe) {
  auto [a, b] = Pair(SOCK_STREAM);
  WriteText(*a, "last").value();
  a = nullptr;
  EXPECT_EQ(b->Readiness(kAll), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP);
  EXPECT_EQ(ReadText(*b).value(), "last");
  EXPECT_EQ(ReadText(*b).value(), "");
  EXPECT_TRUE(WriteText(*b, "x").Is(EPIPE));
}

TEST_F(UnixTest, CloseWithUnreadDataIsEconnreset) {
  auto [a, b] = Pair(SOCK_STREAM);
  WriteText(*b, "unread").value();
  a = nullptr;
  EXPECT_NE(b->Readiness(kAll) & EPOLLERR, 0U);
  EXPECT_TRUE(ReadText(*b).Is(ECONNRESET));
  EXPECT_EQ(ReadText(*b).value(), "");
}

TEST_F(UnixTest, ShutdownOfOneDirection) {
  auto [a, b] = Pair(SOCK_STREAM);
  EXPECT_TRUE(a->Shutdown(ShutdownHow::kWrite).ok());
  EXPECT_TRUE(WriteText(*a, "x").Is(EPIPE));
  EXPECT_EQ(ReadText(*b).value(), "");
  EXPECT_EQ(b->Readiness(kAll), kAll);
  WriteText(*b, "still").value();
  EXPECT_EQ(ReadText(*a).value(), "still");
}

TEST_F(UnixTest, SendBufferBoundsAndWakes) {
  auto [a, b] = Pair(SOCK_STREAM);
  size_t total = 0;
  while (true) {
    Result<size_t> n = WriteText(*a, std::string(10000, 'x'));
    if (!n.ok()) break;
    total += *n;
  }
  EXPECT_EQ(total, 212992U);
  EXPECT_EQ(a->Readiness(EPOLLOUT), 0U);
  EXPECT_EQ((fs::IoctlPointer<int32_t>(*a, SIOCOUTQ)).value(), 212992);
  EXPECT_EQ((fs::IoctlPointer<int32_t>(*b, SIOCINQ)).value(), 212992);
  fs::Waiter waiter(a->wait_queue(), EPOLLOUT);
  ReadText(*b, 100000).value();
  EXPECT_EQ(waiter.count(), 0);
  ReadText(*b, 100000).value();
  EXPECT_EQ(waiter.count(), 1);
  EXPECT_EQ(a->Readiness(EPOLLOUT), EventMask{EPOLLOUT});
}

TEST_F(UnixTest, PeekLeavesData) {
  auto [a, b] = Pair(SOCK_STREAM);
  WriteText(*a, "data").value();
  EXPECT_EQ(Receive(*b, 2, MSG_PEEK).value().text, "da");
  EXPECT_EQ(Receive(*b).value().text, "data");
}

TEST_F(UnixTest, DatagramsKeepTheirBounds) {
  for (int type : {SOCK_DGRAM, SOCK_SEQPACKET}) {
    auto [a, b] = Pair(type);
    Send(*a, "first").value();
    Send(*a, "").value();
    Send(*a, "third").value();
    Received first = Receive(*b, 2).value();
    EXPECT_EQ(first.text, "fi");
    EXPECT_EQ(first.result.full_length, 5U);
    EXPECT_EQ(first.result.flags, int{MSG_TRUNC});
    EXPECT_EQ(Receive(*b).value().text, "");
    EXPECT_EQ(Receive(*b).value().text, "third");
    EXPECT_TRUE(Receive(*b).error() == Errno(EAGAIN));
    EXPECT_TRUE(Send(*a, std::string(300000, 'x')).Is(EMSGSIZE));
  }
}

TEST_F(UnixTest, DatagramsGoToNames) {
  auto server = New(SOCK_DGRAM), client = New(SOCK_DGRAM);
  const SocketAddress name = Abstract("dgram"), own = Abstract("client");
  EXPECT_TRUE(Send(*client, "x", &name).Is(ECONNREFUSED));
  EXPECT_TRUE(Send(*client, "x").Is(ENOTCONN));
  ASSERT_TRUE(server->Bind(RootCaller(), name).ok());
  EXPECT_EQ(Send(*client, "unnamed", &name).value(), 7U);
  EXPECT_TRUE(Receive(*server).value().result.address.empty());
  ASSERT_TRUE(client->Bind(RootCaller(), own).ok());
  EXPECT_EQ(Send(*client, "named", &name).value(), 5U);
  Received second = Receive(*server).value();
  EXPECT_EQ(second.text, "named");
  EXPECT_EQ(second.result.address.length(), own.length());
  // A connected one hears only its peer.
  ASSERT_TRUE(server->Connect(RootCaller(), own).ok());
  auto stranger = New(SOCK_DGRAM);
  EXPECT_TRUE(Send(*stranger, "x", &name).Is(EPERM));
}

TEST_F(UnixTest, FullDatagramQueueBlocksTheSenderUntilARead) {
  auto server = New(SOCK_DGRAM), client = New(SOCK_DGRAM);
  const SocketAddress name = Abstract("full");
  ASSERT_TRUE(server->Bind(RootCaller(), name).ok());
  int sent = 0;
  while (Send(*client, "x", &name).ok()) ++sent;
  EXPECT_EQ(sent, 11);
  EXPECT_EQ(client->Readiness(EPOLLOUT), 0U);
  fs::Waiter waiter(client->wait_queue(), EPOLLOUT);
  ReadText(*server).value();
  EXPECT_GE(waiter.count(), 1);
  EXPECT_EQ(client->Readiness(EPOLLOUT), EventMask{EPOLLOUT});
  EXPECT_TRUE(Send(*client, "x", &name).ok());
}

TEST_F(UnixTest, DatagramPeerGoneIsRefusedOnceThenNotConnected) {
  auto [a, b] = Pair(SOCK_DGRAM);
  b = nullptr;
  EXPECT_TRUE(Send(*a, "x").Is(ECONNREFUSED));
  EXPECT_TRUE(Send(*a, "x").Is(ENOTCONN));
}

TEST_F(UnixTest, ConnectAcceptAndNames) {
  auto listener = Listener("names");
  EXPECT_TRUE(listener->Accept(RootCaller(), 0).Is(EAGAIN));
  auto client = New(SOCK_STREAM);
  EXPECT_EQ(client->Readiness(kAll), EPOLLOUT | EPOLLHUP);
  ASSERT_TRUE(client->Connect(RootCaller(), Abstract("names")).ok());
  EXPECT_EQ(listener->Readiness(EPOLLIN), EventMask{EPOLLIN});
  WriteText(*client, "early").value();
  auto server = listener->Accept(RootCaller(), O_NONBLOCK).value();
  EXPECT_TRUE(server->nonblocking());
  EXPECT_EQ(ReadText(*server).value(), "early");
  WriteText(*server, "answer").value();
  EXPECT_EQ(ReadText(*client).value(), "answer");
  EXPECT_EQ(client->GetPeerName().value().length(), Abstract("names").length());
  EXPECT_EQ(server->GetName().value().length(), Abstract("names").length());
  EXPECT_EQ(server->GetPeerName().value().length(), 2U);
  EXPECT_TRUE(client->Connect(RootCaller(), Abstract("names")).Is(EISCONN));
  EXPECT_EQ(IntOption(*listener, SO_ACCEPTCONN).value(), 1);
  EXPECT_EQ(IntOption(*client, SO_ACCEPTCONN).value(), 0);
}

TEST_F(UnixTest, ConnectErrors) {
  auto client = New(SOCK_STREAM);
  EXPECT_TRUE(client->Connect(RootCaller(), Abstract("nobody")).Is(ECONNREFUSED));
  EXPECT_TRUE(client->Connect(RootCaller(), FamilyOnly(AF_INET)).Is(EINVAL));
  auto bound = New(SOCK_STREAM);
  ASSERT_TRUE(bound->Bind(RootCaller(), Abstract("bound")).ok());
  EXPECT_TRUE(client->Connect(RootCaller(), Abstract("bound")).Is(ECONNREFUSED));
  EXPECT_TRUE(New(SOCK_DGRAM)->Connect(RootCaller(), Abstract("bound")).Is(EPROTOTYPE));
  EXPECT_TRUE(ReadText(*client).Is(EINVAL));
  EXPECT_TRUE(WriteText(*client, "x").Is(ENOTCONN));
  EXPECT_TRUE(client->GetPeerName().error() == Errno(ENOTCONN));
  EXPECT_TRUE(New(SOCK_DGRAM)->Listen(RootCaller(), 1).Is(EOPNOTSUPP));
  EXPECT_TRUE(New(SOCK_STREAM)->Listen(RootCaller(), 1).Is(EINVAL));
  EXPECT_TRUE(client->Accept(RootCaller(), 0).Is(EINVAL));
}

TEST_F(UnixTest, FullBacklogIsEagainUntilAnAccept) {
  auto listener = Listener("backlog", SOCK_STREAM, 0);
  auto first = New(SOCK_STREAM), second = New(SOCK_STREAM);
  ASSERT_TRUE(first->Connect(RootCaller(), Abstract("backlog")).ok());
  EXPECT_TRUE(second->Connect(RootCaller(), Abstract("backlog")).Is(EAGAIN));
  EXPECT_EQ(second->Readiness(EPOLLOUT), 0U);
  fs::Waiter waiter(second->wait_queue(), EPOLLOUT);
  listener->Accept(RootCaller(), 0).value();
  EXPECT_GE(waiter.count(), 1);
  EXPECT_TRUE(second->Connect(RootCaller(), Abstract("backlog")).ok());
}

TEST_F(UnixTest, ClosingTheListenerResetsWhoWaits) {
  auto listener = Listener("closing");
  auto client = New(SOCK_STREAM);
  ASSERT_TRUE(client->Connect(RootCaller(), Abstract("closing")).ok());
  listener = nullptr;
  EXPECT_TRUE(ReadText(*client).Is(ECONNRESET));
  EXPECT_TRUE(New(SOCK_STREAM)->Connect(RootCaller(), Abstract("closing")).Is(ECONNREFUSED));
}

TEST_F(UnixTest, BindRules) {
  auto a = New(SOCK_STREAM), b = New(SOCK_STREAM);
  ASSERT_TRUE(a->Bind(RootCaller(), Abstract("taken")).ok());
  EXPECT_TRUE(b->Bind(RootCaller(), Abstract("taken")).Is(EADDRINUSE));
  EXPECT_TRUE(a->Bind(RootCaller(), Abstract("other")).Is(EINVAL));
  a = nullptr;
  EXPECT_TRUE(b->Bind(RootCaller(), Abstract("taken")).ok());
  auto c = New(SOCK_STREAM);
  ASSERT_TRUE(c->Bind(RootCaller(), FamilyOnly(AF_UNIX)).ok());
  EXPECT_EQ(c->GetName().value().length(), 2U + 1 + 5);
  EXPECT_TRUE(New(SOCK_STREAM)->Bind(RootCaller(), FamilyOnly(AF_INET)).Is(EINVAL));
}

TEST_F(UnixTest, RightsTravelWithTheirBytes) {
  auto [a, b] = Pair(SOCK_STREAM);
  fs::PipeEnds ends = fs::CreatePipe(0, 0, 0).value();
  WriteText(*a, "before").value();
  ControlData control;
  control.rights.push_back(ends.read);
  Send(*a, "with", nullptr, std::move(control)).value();
  WriteText(*a, "after").value();
  ends.read = nullptr;
  WriteText(*ends.write, "through").value();
  Received received = Receive(*b).value();
  EXPECT_EQ(received.text, "beforewith");
  EXPECT_FALSE(received.result.may_continue);
  ASSERT_EQ(received.result.control.rights.size(), 1U);
  EXPECT_EQ(ReadText(*received.result.control.rights[0]).value(), "through");
  EXPECT_EQ(Receive(*b).value().text, "after");
}

TEST_F(UnixTest, UnwantedRightsAreDropped) {
  auto [a, b] = Pair(SOCK_DGRAM);
  fs::PipeEnds ends = fs::CreatePipe(0, 0, 0).value();
  ControlData control;
  control.rights.push_back(ends.read);
  Send(*a, "x", nullptr, std::move(control)).value();
  ends.read = nullptr;
  EXPECT_EQ(Receive(*b, 10, 0, false).value().result.flags, int{MSG_CTRUNC});
  EXPECT_TRUE(WriteText(*ends.write, "x").Is(EPIPE));
}

TEST_F(UnixTest, LongChainsOfQueuedSocketsEndWithoutRecursion) {
  auto [first, other] = Pair(SOCK_DGRAM);
  RefPtr<Socket> into = first;
  std::vector<RefPtr<Socket>> keep;
  for (int i = 0; i < 15000; ++i) {
    auto [a, b] = Pair(SOCK_DGRAM);
    ControlData control;
    control.rights.push_back(a);
    ASSERT_TRUE(Send(*into, "x", nullptr, std::move(control)).ok()) << i;
    into = b;
    keep.push_back(b);
    if (keep.size() > 1) keep.erase(keep.begin());
  }
  into = nullptr;
  keep.clear();
  first = nullptr;
  other = nullptr;
  // All came home: as many can be sent again.
  auto [c, d] = Pair(SOCK_STREAM);
  for (int i = 0; i < 60; ++i) {
    ControlData control;
    control.rights.assign(250, RefPtr<vfs::FileDescription>(c));
    ASSERT_TRUE(Send(*c, "x", nullptr, std::move(control)).ok()) << i;
  }
  while (Receive(*d, 1).ok()) {
  }
}

TEST_F(UnixTest, FilesInFlightAreBounded) {
  auto [a, b] = Pair(SOCK_STREAM);
  Result<size_t> sent = size_t{0};
  for (int i = 0; i < 200 && sent.ok(); ++i) {
    ControlData control;
    control.rights.assign(253, RefPtr<vfs::FileDescription>(b));
    sent = Send(*a, "x", nullptr, std::move(control));
  }
  EXPECT_TRUE(sent.Is(ETOOMANYREFS));
  ControlData control;
  control.rights.assign(254, RefPtr<vfs::FileDescription>(b));
  EXPECT_TRUE(Send(*a, "x", nullptr, std::move(control)).Is(EINVAL));
  while (Receive(*b, 1).ok()) {
  }
}

TEST_F(UnixTest, CredentialsAreTrueUnlessPrivileged) {
  auto [a, b] = Pair(SOCK_STREAM);
  ASSERT_TRUE(SetInt(*b, SO_PASSCRED, 1).ok());
  EXPECT_EQ(IntOption(*b, SO_PASSCRED).value(), 1);
  vfs::Caller user;
  user.uid = 1000, user.gid = 1000, user.tgid = 42;
  ControlData control;
  control.credentials = abi::SocketCredentials{.pid = 42, .uid = 0, .gid = 1000};
  SendRequest lie{
      .data = Bytes("x"), .address = nullptr, .control = control, .flags = 0, .caller = user};
  EXPECT_TRUE(a->SendMessage(lie).Is(EPERM));
  SendRequest plain{
      .data = Bytes("x"), .address = nullptr, .control = {}, .flags = 0, .caller = user};
  EXPECT_TRUE(a->SendMessage(plain).ok());
  WriteText(*a, "root").value();
  Received first = Receive(*b).value();
  EXPECT_EQ(first.text, "x");  // Not joined with another sender's bytes.
  EXPECT_EQ(first.result.control.credentials->uid, 1000U);
  EXPECT_EQ(first.result.control.credentials->pid, 42);
  EXPECT_EQ(Receive(*b).value().result.control.credentials->uid, 0U);
}

TEST_F(UnixTest, PeerCredentials) {
  auto listener = Listener("peercred");
  auto client = New(SOCK_STREAM);
  vfs::Caller user;
  user.uid = 7, user.gid = 8, user.tgid = 9;
  ASSERT_TRUE(client->Connect(user, Abstract("peercred")).ok());
  auto server = listener->Accept(RootCaller(), 0).value();
  abi::SocketCredentials credentials;
  auto bytes = server->GetOption(SOL_SOCKET, SO_PEERCRED, 12).value();
  std::memcpy(&credentials, bytes.data(), sizeof(credentials));
  EXPECT_EQ(credentials, (abi::SocketCredentials{.pid = 9, .uid = 7, .gid = 8}));
  bytes = client->GetOption(SOL_SOCKET, SO_PEERCRED, 12).value();
  std::memcpy(&credentials, bytes.data(), sizeof(credentials));
  EXPECT_EQ(credentials.pid, RootCaller().tgid);
}

TEST_F(UnixTest, OptionsAreKept) {
  auto socket = New(SOCK_STREAM);
  ASSERT_TRUE(SetInt(*socket, SO_SNDBUF, 10000).ok());
  EXPECT_EQ(IntOption(*socket, SO_SNDBUF).value(), 20000);
  ASSERT_TRUE(SetInt(*socket, SO_RCVBUF, 1).ok());
  EXPECT_EQ(IntOption(*socket, SO_RCVBUF).value(), 2304);
  ASSERT_TRUE(SetInt(*socket, SO_REUSEADDR, 5).ok());
  EXPECT_EQ(IntOption(*socket, SO_REUSEADDR).value(), 1);
  const int64_t timeout[2] = {2, 500'000};
  ASSERT_TRUE(
      socket->SetOption(RootCaller(), SOL_SOCKET, SO_RCVTIMEO, std::as_bytes(std::span(timeout)))
          .ok());
  EXPECT_EQ(socket->receive_timeout(), 2'500'000'000);
  EXPECT_EQ(IntOption(*socket, SO_ERROR).value(), 0);
  EXPECT_TRUE(IntOption(*socket, 9999).Is(ENOPROTOOPT));
  EXPECT_TRUE(SetInt(*socket, SO_TYPE, 1).Is(ENOPROTOOPT));
  EXPECT_EQ(IntOption(*socket, SO_DOMAIN).value(), AF_UNIX);
}

SocketAddress PathAddress(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return SocketAddress::From(std::as_bytes(std::span(&address, 1))).value();
}

class UnixPathTest : public vfs::VfsTest {
 protected:
  UnixPathTest() { RegisterUnixFamily(); }
  RefPtr<Socket> New(int type) { return CreateSocket(root, AF_UNIX, type, 0).value(); }
};

TEST_F(UnixPathTest, PathnamesLeadToWhoeverIsBound) {
  auto listener = New(SOCK_STREAM), client = New(SOCK_STREAM);
  ASSERT_TRUE(listener->Bind(root, PathAddress("/sock")).ok());
  EXPECT_TRUE(client->Connect(root, PathAddress("/sock")).Is(ECONNREFUSED));
  ASSERT_TRUE(listener->Listen(root, 5).ok());
  EXPECT_TRUE(client->Connect(root, PathAddress("/missing")).Is(ENOENT));
  ASSERT_TRUE(client->Connect(root, PathAddress("sock")).ok());
  EXPECT_TRUE(listener->Accept(root, 0).ok());
  // As Linux: the path as it was given, with a final zero.
  EXPECT_EQ(client->GetPeerName().value().length(), 2U + 6);
  EXPECT_TRUE(New(SOCK_STREAM)->Bind(root, PathAddress("/sock")).Is(EADDRINUSE));
  EXPECT_TRUE(New(SOCK_DGRAM)->Connect(root, PathAddress("/sock")).Is(EPROTOTYPE));
  listener = nullptr;
  EXPECT_TRUE(New(SOCK_STREAM)->Connect(root, PathAddress("/sock")).Is(ECONNREFUSED));
  ASSERT_TRUE(vfs::Unlink(root, root.root, "/sock").ok());
  EXPECT_TRUE(New(SOCK_STREAM)->Bind(root, PathAddress("/sock")).ok());
}

TEST_F(UnixPathTest, ConnectingNeedsWritePermission) {
  auto listener = New(SOCK_STREAM);
  root.umask = 077;
  ASSERT_TRUE(listener->Bind(root, PathAddress("/private")).ok());
  ASSERT_TRUE(listener->Listen(root, 5).ok());
  EXPECT_TRUE(New(SOCK_STREAM)->Connect(user, PathAddress("/private")).Is(EACCES));
  EXPECT_TRUE(New(SOCK_STREAM)->Connect(root, PathAddress("/private")).ok());
}

TEST_F(UnixTest, ListShowsSockets) {
  auto listener = Listener("listed");
  bool found = false;
  for (const UnixSocketInfo& info : ListUnixSockets()) {
    found = found || (info.name == "@listed" && info.listening && info.type == SOCK_STREAM);
  }
  EXPECT_TRUE(found);
}

TEST_F(UnixTest, ThreadsConnectSendAndClose) {
  auto listener = Listener("threads", SOCK_STREAM, 2);
  constexpr int kClients = 300;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < kClients; ++i) {
        auto client = New(SOCK_STREAM);
        while (true) {
          Result<void> done = client->Connect(RootCaller(), Abstract("threads"));
          if (done.ok()) break;
          ASSERT_TRUE(done.Is(EAGAIN));
          ASSERT_TRUE(WaitReady(*client, EPOLLOUT));
        }
        WriteText(*client, "ping").value();
        ASSERT_TRUE(WaitReady(*client, EPOLLIN));
        ASSERT_EQ(ReadText(*client).value(), "pong");
      }
    });
  }
  for (int i = 0; i < 3 * kClients; ++i) {
    ASSERT_TRUE(WaitReady(*listener, EPOLLIN));
    auto server = listener->Accept(RootCaller(), 0).value();
    ASSERT_TRUE(WaitReady(*server, EPOLLIN));
    ASSERT_EQ(ReadText(*server).value(), "ping");
    WriteText(*server, "pong").value();
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(UnixTest, NothingIsLostBetweenThreads) {
  auto [a, b] = Pair(SOCK_STREAM);
  constexpr size_t kTotal = 16 << 20;
  std::thread writer([socket = std::move(a)]() mutable {
    size_t sent = 0;
    while (sent < kTotal) {
      std::string piece(std::min<size_t>(1 + sent % 70000, kTotal - sent), '\0');
      for (size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<char>((sent + i) % 251);
      Result<size_t> n = WriteText(*socket, piece);
      if (n.ok()) {
        sent += *n;
      } else {
        ASSERT_TRUE(WaitReady(*socket, EPOLLOUT));
      }
    }
  });
  size_t received = 0;
  while (true) {
    Result<std::string> text = ReadText(*b, 50000);
    if (text.Is(EAGAIN)) {
      ASSERT_TRUE(WaitReady(*b, EPOLLIN));
      continue;
    }
    if (text.value().empty()) break;
    for (char c : *text) ASSERT_EQ(c, static_cast<char>(received++ % 251));
  }
  writer.join();
  EXPECT_EQ(received, kTotal);
}

}  // namespace
}  // namespace redoubt::sockets
