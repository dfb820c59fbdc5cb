// SPDX-License-Identifier: Apache-2.0
//
// Rights: open files on their way in SCM_RIGHTS messages.
//
// Three dangers. (1) Sockets whose queues hold each other keep themselves alive after their last
// descriptor is closed: CollectGarbage() finds such circles, as Linux's unix_gc() does. (2) All
// files in flight in the sandbox are counted and limited (ETOOMANYREFS). (3) A socket in a queue of
// a socket in a queue ...: dropping the first would recurse as deep as the guest likes; so files
// are dropped one after the other by the outermost dropper.
#ifndef SENTRY_SOCKET_UNIX_RIGHTS_H_
#define SENTRY_SOCKET_UNIX_RIGHTS_H_

#include <memory>
#include <vector>

#include "sentry/vfs/file_description.h"

namespace redoubt::sockets {

class Endpoint;

class Rights {
 public:
  using Files = std::vector<RefPtr<vfs::FileDescription>>;

  Rights();
  // EINVAL for more than kScmMaximumFds, ETOOMANYREFS for too many in flight.
  static Result<Rights> Send(Files files);
  Rights(Rights&&) noexcept;
  Rights& operator=(Rights&&) noexcept;
  // Drops what was not received. Hold no lock.
  ~Rights();

  bool empty() const { return parcel_ == nullptr; }
  // The message is in the queue of `holder`, and leaves it before that goes.
  void EnterQueueOf(const Endpoint& holder);
  // They have arrived.
  Files Receive();
  Files Copy() const;  // For MSG_PEEK.

  // The files of one message. Those with sockets among them are known to the collector.
  struct Parcel {
    Files files;
    const Endpoint* holder = nullptr;
  };

 private:
  std::unique_ptr<Parcel> parcel_;
};

// Closes the sockets that only messages in each other's queues refer to. Hold no lock.
void CollectGarbage();
// The same, when a socket was closed: now and then, and never if no socket is in flight.
void CollectGarbageAfterClose();

}  // namespace redoubt::sockets

#endif  // SENTRY_SOCKET_UNIX_RIGHTS_H_
