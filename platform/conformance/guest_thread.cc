// SPDX-License-Identifier: Apache-2.0
#include "platform/conformance/guest_thread.h"

#include <chrono>
#include <utility>

#include "base/check.h"
#include "gtest/gtest.h"

namespace redoubt::platform::conformance {
namespace {
constexpr std::chrono::seconds kPatience(10);
}

GuestThread::GuestThread(Platform& platform, std::unique_ptr<Context> context)
    : context_(context.get()) {
  platform.Start(std::move(context), *this);
}

GuestThread::~GuestThread() {
  std::unique_lock lock(mu_);
  if (exited_) return;
  ending_ = true;
  if (context_ != nullptr) context_->Interrupt();
  changed_.notify_all();
  // The platform still points at this object: going on without OnExited would corrupt memory.
  CHECK(changed_.wait_for(lock, kPatience, [&] { return exited_; }));
}

bool GuestThread::Await(std::unique_lock<std::mutex>& lock, const char* what,
                        std::function<bool()> done) {
  if (changed_.wait_for(lock, kPatience, std::move(done))) return true;
  ADD_FAILURE() << "no " << what << " within ten seconds";
  return false;
}

Event GuestThread::Next() {
  std::unique_lock lock(mu_);
  if (!Await(lock, "event", [&] { return step_ == Step::kStopped && !event_seen_; })) {
    return Event{.kind = Event::Kind::kDead};
  }
  event_seen_ = true;
  return event_;
}

void GuestThread::Do(std::function<void(Context&)> work) {
  DoAsync(std::move(work));
  WaitDone();
}

void GuestThread::DoAsync(std::function<void(Context&)> work) {
  std::unique_lock lock(mu_);
  if (!Await(lock, "stop", [&] { return step_ == Step::kStopped; })) return;
  work_ = std::move(work);
  step_ = Step::kWork;
  changed_.notify_all();
}

void GuestThread::WaitDone() {
  std::unique_lock lock(mu_);
  Await(lock, "end of the work", [&] { return step_ != Step::kWork; });
}

void GuestThread::Resume() {
  std::unique_lock lock(mu_);
  if (!Await(lock, "stop", [&] { return step_ == Step::kStopped; })) return;
  step_ = Step::kResume;
  changed_.notify_all();
  Await(lock, "resumption", [&] { return step_ != Step::kResume; });
}

Event GuestThread::Return(uint64_t result) {
  Do([&](Context& context) { context.registers().rax = result; });
  Resume();
  return Next();
}

void GuestThread::Exit() {
  std::unique_lock lock(mu_);
  if (!Await(lock, "stop", [&] { return step_ == Step::kStopped; })) return;
  step_ = Step::kExit;
  changed_.notify_all();
  Await(lock, "OnExited", [&] { return exited_; });
}

void GuestThread::Interrupt() {
  std::unique_lock lock(mu_);
  if (context_ != nullptr) context_->Interrupt();
}

bool GuestThread::exited() const {
  std::unique_lock lock(mu_);
  return exited_;
}

NextStep GuestThread::OnEvent(Context& context, const Event& event) {
  std::unique_lock lock(mu_);
  event_ = event;
  event_seen_ = false;
  step_ = Step::kStopped;
  changed_.notify_all();
  while (true) {
    changed_.wait(lock, [&] { return ending_ || step_ != Step::kStopped; });
    if (step_ == Step::kWork) {
      auto work = std::exchange(work_, nullptr);
      lock.unlock();
      work(context);
      lock.lock();
      step_ = Step::kStopped;
      changed_.notify_all();
      continue;
    }
    if (ending_ || step_ == Step::kExit) {
      context_ = nullptr;
      return NextStep::kExit;
    }
    step_ = Step::kRunning;
    changed_.notify_all();
    return NextStep::kResume;
  }
}

void GuestThread::OnExited() {
  std::unique_lock lock(mu_);
  exited_ = true;
  changed_.notify_all();
}

}  // namespace redoubt::platform::conformance
