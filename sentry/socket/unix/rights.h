// SPDX-License-Identifier: Apache-2.0
//
// Rights: open files on their way in SCM_RIGHTS messages.
//
// Two dangers, and what bounds them. (1) Sockets whose queues hold each other keep themselves alive
// after their last descriptor is closed; Linux collects such circles, we do not yet, but all files
// in flight in the sandbox are counted and limited (ETOOMANYREFS), so what a guest can leak is
// bounded. (2) A socket in a queue of a socket in a queue ...: dropping the first would recurse as
// deep as the guest likes; so files are dropped one after the other by the outermost dropper.
#ifndef SENTRY_SOCKET_UNIX_RIGHTS_H_
#define SENTRY_SOCKET_UNIX_RIGHTS_H_

#include <vector>

#include "sentry/vfs/file_description.h"

namespace redoubt::sockets {

class Rights {
 public:
  Rights() = default;
  // EINVAL for more than kScmMaximumFds, ETOOMANYREFS for too many in flight.
  static Result<Rights> Send(std::vector<RefPtr<vfs::FileDescription>> files);
  Rights(Rights&& other) noexcept : files_(std::move(other.files_)) { other.files_.clear(); }
  Rights& operator=(Rights&& other) noexcept;
  // Drops what was not received. Hold no lock.
  ~Rights();

  bool empty() const { return files_.empty(); }
  // They have arrived.
  std::vector<RefPtr<vfs::FileDescription>> Receive();
  // For MSG_PEEK.
  std::vector<RefPtr<vfs::FileDescription>> Copy() const { return files_; }

 private:
  std::vector<RefPtr<vfs::FileDescription>> files_;
};

}  // namespace redoubt::sockets

#endif  // SENTRY_SOCKET_UNIX_RIGHTS_H_
