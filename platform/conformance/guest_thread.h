// SPDX-License-Identifier: Apache-2.0
//
// GuestThread: a guest thread driven step by step from a test, as by a debugger.
//
//   GuestThread guest(platform, std::move(context));   // Runs.
//   Event event = guest.Next();                        // Waits for its next event.
//   guest.Do([&](Context& c) { c.registers().rax = 7; });  // On the platform's thread.
//   guest.Resume();
//   ...
//   guest.Exit();                                      // Or the destructor does.
//
// The platform's thread stays inside OnEvent from an event until Resume or Exit.
#ifndef PLATFORM_CONFORMANCE_GUEST_THREAD_H_
#define PLATFORM_CONFORMANCE_GUEST_THREAD_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "platform/platform.h"

namespace redoubt::platform::conformance {

class GuestThread : public GuestEvents {
 public:
  GuestThread(Platform& platform, std::unique_ptr<Context> context);
  // Ends the guest thread if it has not been, whatever it does.
  ~GuestThread() override;
  GuestThread(const GuestThread&) = delete;
  GuestThread& operator=(const GuestThread&) = delete;

  // The next event, not yet seen by Next(). Fails the test after ten seconds (and gives kDead).
  Event Next();
  // Runs `work` on the platform's thread while the guest is stopped by an event.
  void Do(std::function<void(Context&)> work);
  // The same without waiting for it; WaitDone waits.
  void DoAsync(std::function<void(Context&)> work);
  void WaitDone();
  void Resume();
  // Resume, then Next: with `result` in rax.
  Event Return(uint64_t result);
  // Ends the stopped guest thread and waits for OnExited.
  void Exit();

  // From any thread while the guest lives.
  void Interrupt();

  bool exited() const;

 private:
  enum class Step { kRunning, kStopped, kWork, kResume, kExit };

  NextStep OnEvent(Context& context, const Event& event) override;
  void OnExited() override;
  // Waits until `done` holds; false, and a test failure that names `what`, after ten seconds.
  bool Await(std::unique_lock<std::mutex>& lock, const char* what, std::function<bool()> done);

  mutable std::mutex mu_;
  std::condition_variable changed_;
  Context* context_;  // Null once it is about to go.
  Step step_ = Step::kRunning;
  Event event_;
  bool event_seen_ = false;
  bool ending_ = false;  // Every event is answered by kExit.
  bool exited_ = false;
  std::function<void(Context&)> work_;
};

}  // namespace redoubt::platform::conformance

#endif  // PLATFORM_CONFORMANCE_GUEST_THREAD_H_
