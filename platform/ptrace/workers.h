// SPDX-License-Identifier: Apache-2.0
//
// The platform's threads: one for each guest thread, thousands of them, with small stacks.
//
// A guest thread's worker is made together with its Context, where failing (EAGAIN) is still an
// answer to clone(2), and waits until Platform::Start gives it work.
#ifndef PLATFORM_PTRACE_WORKERS_H_
#define PLATFORM_PTRACE_WORKERS_H_

#include <functional>
#include <memory>

#include "base/result.h"
#include "base/sync/mutex.h"

namespace redoubt::platform::ptrace {

// A thread without work yet. Destroyed without any, it ends.
class Worker {
 public:
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // At most once.
  void Run(std::function<void()> work);

 private:
  friend class Workers;
  struct Slot;
  explicit Worker(std::shared_ptr<Slot> slot) : slot_(std::move(slot)) {}
  static void* ThreadMain(void* argument);

  std::shared_ptr<Slot> slot_;  // Also held by the thread. Null once it has work.
};

class Workers {
 public:
  Workers();
  // Waits until all of them have ended.
  ~Workers();

  Result<std::unique_ptr<Worker>> Prepare();

 private:
  friend class Worker;
  // How many threads live. Each thread holds it, since its last act is to count itself out.
  struct Count;
  std::shared_ptr<Count> count_;
};

}  // namespace redoubt::platform::ptrace

#endif  // PLATFORM_PTRACE_WORKERS_H_
