// SPDX-License-Identifier: Apache-2.0
//
// FileCallsTest: one task on a platform without a host, a tmpfs as its root, and its system calls
// as the dispatcher would make them. For unit tests of the file-side handlers; how they behave to
// real programs is tested in test/syscalls.
//
//   uint64_t path = Text("/file");
//   int64_t fd = Call(SYS_open, path, O_CREAT | O_RDWR, 0644);    // -errno as a guest sees it.
#ifndef SENTRY_SYSCALLS_FILE_CALLS_FIXTURE_H_
#define SENTRY_SYSCALLS_FILE_CALLS_FIXTURE_H_

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "platform/fake/fake_platform.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/kernel/kernel.h"
#include "sentry/socket/unix/unix.h"
#include "sentry/syscalls/dispatcher.h"

namespace redoubt::syscalls {

class FileCallsTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kMemory = 0x100000;
  static constexpr uint64_t kMemorySize = 16 << 20;
  static constexpr uint64_t kBadAddress = kMemory + kMemorySize;  // Nothing is mapped there.

  FileCallsTest() {
    sockets::RegisterUnixFamily();
    auto fake = std::make_unique<platform::fake::FakePlatform>();
    platform::fake::FakePlatform& platform = *fake;
    kernel::KernelConfig config;
    config.platform = std::move(fake);
    config.dispatcher = CreateDispatcher({});
    tmpfs::Options options;
    options.mode = 0755;
    config.mounts = MakeRef<vfs::MountNamespace>(tmpfs::NewMount(options, 0, "root"));
    kernel_ = std::make_unique<kernel::Kernel>(std::move(config));
    context_ = platform.NewContext(platform.NewAddressSpace().value()).value();
    (void)context_->HostCall({.number = SYS_mmap,
                              .arguments = {kMemory, kMemorySize, PROT_READ | PROT_WRITE,
                                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, ~0UL, 0}});
    MakeTask();
  }

  ~FileCallsTest() override {
    task_->group()->leader = nullptr;
    task_->group()->tasks.clear();
    task_->fd_table()->DropUser(1);
  }

  // rax as the guest finds it, but for restart codes, which show as they are.
  template <typename... Args>
  int64_t Call(uint64_t number, Args... args) {
    kernel::SyscallArguments arguments{{static_cast<uint64_t>(args)...}};
    SyscallResult result = kernel_->dispatcher().Dispatch(*task_, number, arguments);
    return result.ok() ? static_cast<int64_t>(*result) : -int64_t{result.error().value()};
  }

  // Guest memory, never given back.
  uint64_t Room(size_t size) {
    uint64_t at = next_;
    next_ += (size + 15) & ~size_t{15};
    return at;
  }
  template <typename T>
  uint64_t Put(const T& value) {
    uint64_t at = Room(sizeof(T));
    EXPECT_TRUE(task_->CopyOut(at, value).ok());
    return at;
  }
  template <typename T>
  T Get(uint64_t address) {
    return task_->CopyIn<T>(address).value();
  }
  uint64_t Text(std::string_view text) {
    uint64_t at = Room(text.size() + 1);
    EXPECT_TRUE(task_->CopyOut(at, std::as_bytes(std::span(text))).ok());
    return at;
  }
  std::string Bytes(uint64_t address, size_t size) {
    std::string bytes(size, '\0');
    EXPECT_TRUE(task_->CopyIn(address, std::as_writable_bytes(std::span(bytes))).ok());
    return bytes;
  }
  bool Pending(int signal) { return task_->pending_signals().Has(signal); }

  kernel::Task& task() { return *task_; }

 private:
  void MakeTask() {
    vfs::Path root = kernel_->mounts()->RootPath();
    kernel::TaskParts parts;
    parts.kernel = kernel_.get();
    parts.credentials = kernel::Credentials::Create(0, 0, {}, kernel::kAllCapabilities);
    parts.fd_table = MakeRef<kernel::FdTable>();
    parts.fs = MakeRef<kernel::FsContext>(kernel_->mounts(), root, root, 022);
    parts.tid = 1;
    parts.group = MakeRef<kernel::ThreadGroup>(kernel_.get(), 1, MakeRef<kernel::SignalHandlers>(),
                                               kernel::DefaultLimits());
    auto group = parts.group;
    task_ = MakeRef<kernel::Task>(std::move(parts));
    task_->SetContext(context_.get());
    group->leader = task_;
    group->tasks.push_back(task_);
  }

  std::unique_ptr<kernel::Kernel> kernel_;
  std::unique_ptr<platform::Context> context_;
  RefPtr<kernel::Task> task_;
  uint64_t next_ = kMemory;
};

}  // namespace redoubt::syscalls

#endif  // SENTRY_SYSCALLS_FILE_CALLS_FIXTURE_H_
