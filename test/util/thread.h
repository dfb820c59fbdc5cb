// SPDX-License-Identifier: Apache-2.0
//
// A thread whose kernel id is known as soon as it exists, joined when it goes out of scope.
//
//   TestThread reader([&] { result = read(fd, &byte, 1); });
//   AwaitSleeping(getpid(), reader.tid());
//   ...
//   reader.Join();

#ifndef REDOUBT_TEST_UTIL_THREAD_H_
#define REDOUBT_TEST_UTIL_THREAD_H_

#include <sys/types.h>
#include <unistd.h>

#include <functional>
#include <latch>
#include <thread>
#include <utility>

namespace redoubt::test {

class TestThread {
 public:
  explicit TestThread(std::function<void()> body)
      : thread_([this, body = std::move(body)] {
          tid_ = gettid();
          started_.count_down();
          body();
        }) {
    started_.wait();
  }
  TestThread(const TestThread&) = delete;
  TestThread& operator=(const TestThread&) = delete;
  ~TestThread() { Join(); }

  pid_t tid() const { return tid_; }
  pthread_t handle() { return thread_.native_handle(); }
  void Join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  pid_t tid_ = 0;
  std::latch started_{1};
  std::thread thread_;  // Last: it uses the members above.
};

}  // namespace redoubt::test

#endif  // REDOUBT_TEST_UTIL_THREAD_H_
