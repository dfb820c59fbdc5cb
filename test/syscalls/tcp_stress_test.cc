// SPDX-License-Identifier: Apache-2.0
//
// TCP under threads that connect, send, shut down, reset and close at the same time: nothing hangs,
// no byte is invented, and every errno is one that Linux gives.

#include <netinet/tcp.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "test/syscalls/inet_sockets.h"

namespace redoubt::test {
namespace {

constexpr milliseconds kDuration{1'000};

class TcpStressTest : public InetTest {};
INSTANTIATE_TEST_SUITE_P(Kinds, TcpStressTest, InetKinds(), InetKindName);

bool IsExpected(int error) {
  switch (error) {
    case EAGAIN:
    case EALREADY:
    case ECONNABORTED:
    case ECONNREFUSED:
    case ECONNRESET:
    case EINPROGRESS:
    case EINVAL:
    case EISCONN:
    case ENOTCONN:
    case EPIPE:
    case EADDRNOTAVAIL:
    case EADDRINUSE:
      return true;
    default:
      return false;
  }
}

TEST_P(TcpStressTest, EveryCallInEveryState) {
  // Sockets that all threads use; one slot is replaced now and then.
  constexpr size_t kSlots = 12;
  std::mutex mu;
  std::array<std::shared_ptr<FileDescriptor>, kSlots> slots;
  const auto make = [&] { return std::make_shared<FileDescriptor>(Stream(SOCK_NONBLOCK)); };
  for (auto& slot : slots) slot = make();
  const FileDescriptor listener = Listener(4, SOCK_NONBLOCK);
  const InetAddress name = NameOf(listener);
  std::atomic<int> unexpected{0};
  const auto worker = [&](unsigned seed) {
    std::mt19937 random(seed);
    const Stopwatch watch;
    char buffer[3000] = {};
    while (watch.Elapsed() < kDuration) {
      std::shared_ptr<FileDescriptor> fd;
      const size_t index = random() % kSlots;
      {
        std::lock_guard lock(mu);
        if (random() % 16 == 0) {
          const int accepted = accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK);
          slots[index] = accepted >= 0 ? std::make_shared<FileDescriptor>(accepted) : make();
        }
        fd = slots[index];
      }
      ssize_t result = 0;
      switch (random() % 10) {
        case 0:
        case 1:
          result = Connect(*fd, name);
          break;
        case 2:
        case 3:
          result = Send(*fd, std::string_view(buffer, random() % sizeof(buffer)),
                        random() % 8 == 0 ? MSG_OOB : 0);
          break;
        case 4:
        case 5:
          result =
              recv(fd->get(), buffer, random() % sizeof(buffer), random() % 4 == 0 ? MSG_PEEK : 0);
          break;
        case 6:
          result = shutdown(fd->get(), static_cast<int>(random() % 3));
          break;
        case 7:
          result = Disconnect(*fd);
          break;
        case 8: {
          const linger now = {.l_onoff = static_cast<int>(random() % 2), .l_linger = 0};
          result = setsockopt(fd->get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
          break;
        }
        default:
          Poll(*fd);
          SocketError(*fd);
          Peername(*fd);
      }
      if (result < 0 && !IsExpected(errno)) unexpected = errno;
    }
  };
  {
    std::vector<std::unique_ptr<TestThread>> threads;
    for (unsigned i = 0; i < 4; ++i) {
      threads.push_back(std::make_unique<TestThread>([&, i] { worker(i + 1); }));
    }
  }
  EXPECT_EQ(unexpected, 0);
  // It still works.
  const FileDescriptor fresh = Listener();
  const Connection c = ConnectTo(fresh);
  ASSERT_THAT(Send(c.client, "alive"), SyscallSucceeds());
  EXPECT_EQ(Receive(c.server), "alive");
}

TEST_P(TcpStressTest, ConnectorsAgainstAClosingListener) {
  for (int round = 0; round < 20; ++round) {
    FileDescriptor listener = Listener(1);
    const InetAddress name = NameOf(listener);
    std::atomic<int> unexpected{0};
    {
      std::vector<std::unique_ptr<TestThread>> threads;
      for (int i = 0; i < 6; ++i) {
        threads.push_back(std::make_unique<TestThread>([&] {
          const FileDescriptor fd = Stream();
          const timeval limit = ToTimeval(milliseconds(100));
          setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
          if (Connect(fd, name) != 0 && !IsExpected(errno)) unexpected = errno;
        }));
      }
      listener.reset();
    }
    EXPECT_EQ(unexpected, 0);
  }
}

TEST_P(TcpStressTest, ManyConnectionsThatComeAndGo) {
  const FileDescriptor listener = Listener(128);
  for (int i = 0; i < 1000; ++i) {
    const Connection c = ConnectTo(listener);
    ASSERT_THAT(Send(c.client, "x"), SyscallSucceeds());
    ASSERT_EQ(Receive(c.server), "x");
    // Connections must not use up the ports: RST, and no TIME_WAIT.
    const linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c.client.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  }
}

}  // namespace
}  // namespace redoubt::test
