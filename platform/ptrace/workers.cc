// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/workers.h"

#include <pthread.h>

#include <utility>

#include "base/check.h"

namespace redoubt::platform::ptrace {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kStackSize = size_t{2} << 20;
#else
constexpr size_t kStackSize = size_t{256} << 10;
#endif

}  // namespace

struct Workers::Count {
  Mutex<LockRank::kLeaf> mu;
  absl::CondVar changed;
  size_t live ABSL_GUARDED_BY(mu) = 0;
};

struct Worker::Slot {
  std::shared_ptr<Workers::Count> count;
  Mutex<LockRank::kLeaf> mu;
  absl::CondVar decided_changed;
  bool decided ABSL_GUARDED_BY(mu) = false;
  std::function<void()> work ABSL_GUARDED_BY(mu);

  void Decide(std::function<void()> what) {
    MutexLock lock(&mu);
    work = std::move(what);
    decided = true;
    decided_changed.Signal();
  }
  std::function<void()> Await() {
    MutexLock lock(&mu);
    while (!decided) decided_changed.Wait(mu.raw());
    return std::move(work);
  }
};

Worker::~Worker() {
  if (slot_ != nullptr) slot_->Decide(nullptr);
}

void Worker::Run(std::function<void()> work) {
  CHECK(slot_ != nullptr);
  std::exchange(slot_, nullptr)->Decide(std::move(work));
}

void* Worker::ThreadMain(void* argument) {
  std::unique_ptr<std::shared_ptr<Slot>> owned(static_cast<std::shared_ptr<Slot>*>(argument));
  std::shared_ptr<Slot> slot = *std::move(owned);
  if (std::function<void()> work = slot->Await()) work();
  MutexLock lock(&slot->count->mu);
  --slot->count->live;
  slot->count->changed.Signal();
  return nullptr;
}

Workers::Workers() : count_(std::make_shared<Count>()) {}

Workers::~Workers() {
  MutexLock lock(&count_->mu);
  while (count_->live > 0) count_->changed.Wait(count_->mu.raw());
}

Result<std::unique_ptr<Worker>> Workers::Prepare() {
  auto slot = std::make_shared<Worker::Slot>();
  slot->count = count_;
  auto argument = std::make_unique<std::shared_ptr<Worker::Slot>>(slot);
  pthread_attr_t attributes;
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstacksize(&attributes, kStackSize) == 0);
  CHECK(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0);
  MutexLock lock(&count_->mu);
  pthread_t thread;
  int error = pthread_create(&thread, &attributes, &Worker::ThreadMain, argument.get());
  pthread_attr_destroy(&attributes);
  if (error != 0) return Errno(error);
  static_cast<void>(argument.release());  // The thread's now.
  ++count_->live;
  return std::unique_ptr<Worker>(new Worker(std::move(slot)));
}

}  // namespace redoubt::platform::ptrace
