// SPDX-License-Identifier: Apache-2.0
#include "gofer/server/gofer.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/host/syscall.h"
#include "base/host/unix_socket.h"
#include "base/log.h"
#include "gofer/protocol/validate.h"
#include "gofer/server/caller_cpu.h"
#include "gofer/server/node_table.h"
#include "gofer/server/operations.h"
#include "gofer/server/own_descriptors.h"
#include "gofer/server/sandbox.h"

namespace redoubt::gofer {
namespace {

// Kept free for the request at hand, the roots, the socket and the log.
constexpr size_t kSpareDescriptors = 128;
constexpr size_t kMostCachedDescriptors = 16384;

size_t RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return NodeTable::kFewestDescriptors;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  size_t most = std::min<size_t>(limit.rlim_max, kMostCachedDescriptors + kSpareDescriptors);
  return most > 2 * kSpareDescriptors ? most - kSpareDescriptors : most / 2;
}

Result<void> AddRoots(std::vector<AttachPoint> attach_points, NodeTable* nodes,
                      Operations* operations) {
  for (AttachPoint& point : attach_points) {
    HostStat stat = TRY(StatFd(point.root.get()));
    if (!S_ISDIR(stat.stx_mode) && !S_ISREG(stat.stx_mode)) {
      LOG(Warning, "attach point %u is neither directory nor regular file", point.id);
    }
    operations->AddRoot(point.id,
                        nodes->AddRoot(point.id, point.read_only, std::move(point.root), stat));
  }
  return {};
}

// Answers one message. An error ends the connection.
class Server {
 public:
  Server(int socket, Operations* operations) : socket_(socket), operations_(*operations) {}

  // False: the sentry is gone.
  Result<bool> ServeOne() {
    host::ReceivedMessage message = TRY(host::ReceiveMessage(socket_, *buffer_, 0));
    if (message.size == 0) return false;
    TRY(DecodeRequest(std::span(*buffer_).first(message.size), &request_));
    caller_cpu_.Follow(static_cast<int>(request_.cpu()) - 1);
    response_.Clear();
    OwnedFd fd = operations_.Handle(request_, &response_);
    Result<size_t> size = Encode(response_, *buffer_);
    if (!size.ok()) {
      response_.Clear();
      response_.set_sequence(request_.sequence());
      response_.set_error(E2BIG);
      fd.Reset();
      size = Encode(response_, *buffer_);
    }
    int raw = fd.get();
    std::span<const int> fds(&raw, fd.valid() ? 1 : 0);
    TRY(host::SendMessage(socket_, std::span(*buffer_).first(TRY(std::move(size))), fds));
    return true;
  }

 private:
  const int socket_;
  Operations& operations_;
  const std::unique_ptr<std::array<std::byte, kMostMessageBytes>> buffer_ =
      std::make_unique<std::array<std::byte, kMostMessageBytes>>();
  CallerCpu caller_cpu_;
  Request request_;
  Response response_;
};

Result<void> Serve(GoferConfig* config) {
  umask(0);
  size_t most = RaiseDescriptorLimit();
  if (config->most_descriptors != 0) most = std::min(most, config->most_descriptors);
  if (!config->own_descriptors.valid()) config->own_descriptors = TRY(OpenOwnDescriptors());
  TRY(EnterOwnDescriptors(config->own_descriptors));
  config->own_descriptors.Reset();  // The working directory holds it.
  NodeTable nodes(config->most_nodes, most);
  Operations operations(&nodes);
  int socket = config->socket.get();
  std::vector<int> kept = {socket};
  for (const AttachPoint& point : config->attach_points) kept.push_back(point.root.get());
  if (config->confine) TRY(Confine(std::move(kept), socket, config->log_filter_breaches));
  TRY(AddRoots(std::move(config->attach_points), &nodes, &operations));
  Server server(socket, &operations);
  while (TRY(server.ServeOne())) {
  }
  return {};
}

}  // namespace

int RunGofer(GoferConfig config) {
  SetLogName("gofer");
  Result<void> served = Serve(&config);
  // The sentry may end while an answer is on its way.
  if (served.ok() || served.Is(EPIPE) || served.Is(ECONNRESET)) return 0;
  LOG(Error, "ends: errno %d", served.error().value());
  return 1;
}

}  // namespace redoubt::gofer
