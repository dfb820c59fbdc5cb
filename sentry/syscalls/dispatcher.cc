// SPDX-License-Identifier: Apache-2.0
#include "sentry/syscalls/dispatcher.h"

#include <sys/syscall.h>

#include <array>
#include <atomic>

#include "base/check.h"
#include "base/log.h"
#include "sentry/kernel/current_task.h"
#include "sentry/kernel/task_seccomp.h"
#include "sentry/syscalls/strace/strace.h"
#include "sentry/syscalls/table_amd64.h"
#include "sentry/vfs/current_call.h"

namespace redoubt::syscalls {

namespace {

constexpr size_t kTableSize = 463;  // One past the last number of the table.
constexpr uint32_t kX32Bit = 0x40000000;

// While it lives, this thread serves a call of `task`.
class ServedCall {
 public:
  explicit ServedCall(Task& task) : task_(task) { vfs::BeginCall(); }
  ~ServedCall() { vfs::EndCall(); }

 private:
  kernel::ScopedCurrentTask task_;
};

class Dispatcher final : public kernel::SyscallDispatcher {
 public:
  explicit Dispatcher(const DispatcherOptions& options) : strace_(options.strace) {
    for (const SyscallEntry& entry : Amd64Table()) {
      CHECK(entry.number < kTableSize);
      by_number_[entry.number] = &entry;
    }
  }

  ~Dispatcher() override {
    for (size_t number = 0; number < kTableSize; ++number) {
      uint32_t calls = missing_calls_[number].load(std::memory_order_relaxed);
      if (calls != 0) VLOG("%s(2), which is missing: %u calls", NameOf(number), calls);
    }
  }

  SyscallResult Dispatch(Task& task, uint64_t number, const SyscallArguments& arguments) override {
    // As Linux: the upper half of rax is ignored, and x32 is not compiled in.
    uint32_t index = static_cast<uint32_t>(number);
    const SyscallEntry* entry = index < kTableSize ? by_number_[index] : nullptr;
    ServedCall current(task);
    if (strace_) [[unlikely]]
      return Traced(task, index, entry, arguments);
    return Run(task, entry, index, arguments);
  }

 private:
  const char* NameOf(size_t number) const {
    return by_number_[number] != nullptr ? by_number_[number]->name : "?";
  }

  SyscallResult Run(Task& task, const SyscallEntry* entry, uint32_t number,
                    const SyscallArguments& arguments) {
    if (task.seccomp.active()) [[unlikely]] {
      auto answer = kernel::CheckSeccomp(task, number, arguments);
      if (answer.has_value()) return *answer;
    }
    if (entry == nullptr) [[unlikely]] {
      VLOG("unknown system call 0x%x%s", number, (number & kX32Bit) != 0 ? " (x32)" : "");
      return Errno(ENOSYS);
    }
    if (entry->support == Support::kMissing) [[unlikely]]
      CountMissing(*entry);
    return entry->handler(task, arguments);
  }

  void CountMissing(const SyscallEntry& entry) {
    if (missing_calls_[entry.number].fetch_add(1, std::memory_order_relaxed) == 0) {
      VLOG("%s(2) is missing: %s", entry.name, entry.note);
    }
  }

  SyscallResult Traced(Task& task, uint32_t number, const SyscallEntry* entry,
                       const SyscallArguments& arguments) {
    strace::Call call;
    call.number = number;
    call.arguments = arguments.values;
    if (entry != nullptr) {
      call.name = entry->name;
      call.shapes = std::span(entry->shapes).first(entry->argument_count);
    }
    const int tid = task.tid();
    strace::Tracer tracer(task, tid, call);
    const bool ends = number == SYS_exit || number == SYS_exit_group;
    if (ends) strace::WriteLine(tracer.NeverReturns());
    SyscallResult result = Run(task, entry, number, arguments);
    if (!ends) strace::WriteLine(tracer.Finished(result));
    return result;
  }

  const bool strace_;
  std::array<const SyscallEntry*, kTableSize> by_number_{};
  std::array<std::atomic<uint32_t>, kTableSize> missing_calls_{};
};

}  // namespace

std::unique_ptr<kernel::SyscallDispatcher> CreateDispatcher(const DispatcherOptions& options) {
  return std::make_unique<Dispatcher>(options);
}

}  // namespace redoubt::syscalls
