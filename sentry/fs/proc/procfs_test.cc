// SPDX-License-Identifier: Apache-2.0
//
// What only the sentry's side can see: other users' processes, zombies, numbers used again. What
// programs see is tested by test/syscalls/proc_self_test.cc.
#include "sentry/fs/proc/procfs.h"

#include <memory>
#include <string>
#include <utility>

#include "platform/fake/fake_platform.h"
#include "sentry/fs/proc/net_rows.h"
#include "sentry/fs/tmpfs/vfs_fixture.h"
#include "sentry/kernel/kernel.h"

namespace redoubt::proc {
namespace {

using vfs::Code;

class NoSyscalls : public kernel::SyscallDispatcher {
 public:
  SyscallResult Dispatch(kernel::Task&, uint64_t, const kernel::SyscallArguments&) override {
    return Errno(ENOSYS);
  }
};

class ProcTest : public vfs::VfsTest {
 protected:
  ProcTest() {
    kernel::KernelConfig config;
    config.platform = std::make_unique<platform::fake::FakePlatform>();
    config.dispatcher = std::make_unique<NoSyscalls>();
    config.mounts = ns;
    config.host_cpus = 3;
    config.host_memory_bytes = uint64_t{1} << 30;
    kernel = std::make_unique<kernel::Kernel>(std::move(config));
    EXPECT_EQ(Mkdir(root, "/proc"), 0);
    RefPtr<vfs::Inode> top = NewRoot(*kernel);
    RefPtr<vfs::Superblock> superblock = top->superblock();
    auto dentry = MakeRef<vfs::Dentry>(superblock, nullptr, "", std::move(top));
    auto mount = MakeRef<vfs::Mount>(std::move(superblock), std::move(dentry), 0, "proc");
    EXPECT_EQ(Code(ns->Attach(std::move(mount), At("/proc"))), 0);
  }

  // A process of one task that never runs.
  RefPtr<kernel::Task> AddProcess(uint32_t id, std::string name) {
    MutexLock lock(&kernel->tasks().mu_);
    int tid = kernel->tasks().AllocateTidLocked().value();
    auto group = MakeRef<kernel::ThreadGroup>(kernel.get(), tid, MakeRef<kernel::SignalHandlers>(),
                                              kernel::DefaultLimits());
    kernel::TaskParts parts;
    parts.kernel = kernel.get();
    parts.group = group;
    parts.tid = tid;
    parts.credentials = kernel::Credentials::Create(id, id, {}, 0);
    parts.fd_table = MakeRef<kernel::FdTable>();
    parts.fs = MakeRef<kernel::FsContext>(nullptr, root.root, root.root, 022);
    parts.name = std::move(name);
    auto task = MakeRef<kernel::Task>(std::move(parts));
    group->leader = task;
    group->tasks.push_back(task);
    group->process_group = MakeRef<kernel::ProcessGroup>(1, MakeRef<kernel::Session>(1));
    kernel->tasks().AddLocked(task);
    return task;
  }

  void Remove(const RefPtr<kernel::Task>& task) {
    MutexLock lock(&kernel->tasks().mu_);
    kernel->tasks().RemoveLocked(task->tid());
    task->group()->tasks.clear();
    task->group()->leader = nullptr;
  }

  std::string Link(const vfs::Caller& caller, std::string_view path) {
    auto link = Find(caller, path, {.follow_final = false});
    if (!link.ok()) return "errno " + std::to_string(link.error().value());
    auto text = vfs::ReadLink(caller, *link);
    return text.ok() ? *text : "errno " + std::to_string(text.error().value());
  }
  static std::string Dir(const RefPtr<kernel::Task>& task) {
    return "/proc/" + std::to_string(task->tid());
  }

  std::unique_ptr<kernel::Kernel> kernel;
};

TEST_F(ProcTest, SelfIsTheReaders) {
  RefPtr<kernel::Task> task = AddProcess(1000, "a");
  EXPECT_EQ(Link(user, "/proc/self"), "errno 2");  // No process reads.
  user.tgid = user.tid = task->tid();
  EXPECT_EQ(Link(user, "/proc/self"), std::to_string(task->tid()));
  EXPECT_EQ(Get(user, "/proc/self/comm"), "a\n");
  EXPECT_EQ(Get(user, "/proc/thread-self/comm"), "a\n");
}

TEST_F(ProcTest, ListsProcessesInOrderAfterTheFixedEntries) {
  RefPtr<kernel::Task> first = AddProcess(0, "a"), second = AddProcess(0, "b");
  auto directory = TryOpen(root, "/proc", O_RDONLY | O_DIRECTORY);
  // A few entries at a time: offsets carry on.
  std::vector<std::string> names;
  while (true) {
    vfs::NameSink sink(5);
    ASSERT_EQ(Code((*directory)->ReadDirectory(sink)), 0);
    if (sink.names.empty()) break;
    names.insert(names.end(), sink.names.begin(), sink.names.end());
  }
  EXPECT_EQ(names[names.size() - 2], std::to_string(first->tid()));
  EXPECT_EQ(names.back(), std::to_string(second->tid()));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST_F(ProcTest, OthersMayNotLookInside) {
  RefPtr<kernel::Task> task = AddProcess(0, "a");
  for (const char* name : {"/environ", "/maps", "/auxv", "/fd", "/io"}) {
    EXPECT_EQ(OpenCode(user, Dir(task) + name, O_RDONLY), EACCES) << name;
  }
  EXPECT_EQ(Link(user, Dir(task) + "/cwd"), "errno 13");
  EXPECT_EQ(OpenCode(user, Dir(task) + "/root", O_RDONLY), EACCES);
  EXPECT_EQ(Get(user, Dir(task) + "/comm"), "a\n");
  EXPECT_EQ(Get(user, Dir(task) + "/environ").substr(0, 5), "errno");
}

TEST_F(ProcTest, AnUndumpableProcessIsRootsButSeesItsOwnFiles) {
  RefPtr<kernel::Task> task = AddProcess(1000, "a");
  EXPECT_EQ(Stat(Dir(task) + "/environ").uid, 1000u);
  task->group()->dumpable = false;
  EXPECT_EQ(Stat(Dir(task) + "/environ").uid, 0u);
  EXPECT_EQ(Stat(Dir(task)).uid, 1000u);
  EXPECT_EQ(OpenCode(user, Dir(task) + "/fd", O_RDONLY), EACCES);
  EXPECT_EQ(Link(user, Dir(task) + "/cwd"), "errno 13");
  user.tgid = user.tid = task->tid();
  EXPECT_EQ(OpenCode(user, Dir(task) + "/fd", O_RDONLY), 0);
  EXPECT_EQ(Link(user, Dir(task) + "/cwd"), "/");
}

TEST_F(ProcTest, DescriptorsComeAndGo) {
  RefPtr<kernel::Task> task = AddProcess(0, "a");
  Put("/file", "contents");
  auto file = TryOpen(root, "/file", O_RDWR);
  ASSERT_EQ(Code(task->fd_table()->Install(*file, true, 10)), 0);
  std::string fd = Dir(task) + "/fd/0";
  EXPECT_EQ(Link(root, fd), "/file");
  EXPECT_EQ(Stat(fd, false).mode, uint32_t{S_IFLNK | 0700});
  EXPECT_EQ(Get(root, fd), "contents");
  EXPECT_EQ(Get(root, Dir(task) + "/fdinfo/0").substr(0, 24), "pos:\t0\nflags:\t02000002\nm");
  EXPECT_EQ(List(Dir(task) + "/fd"), std::vector<std::string>{"0"});
  EXPECT_FALSE(Exists(Dir(task) + "/fd/1"));
  ASSERT_EQ(Code(task->fd_table()->Close(0, task->tgid())), 0);
  EXPECT_FALSE(Exists(fd));
  ASSERT_EQ(Code(task->fd_table()->Install(*file, false, 10, 1)), 0);
  EXPECT_TRUE(Exists(Dir(task) + "/fd/1"));
}

TEST_F(ProcTest, TheDeadAreGone) {
  RefPtr<kernel::Task> task = AddProcess(0, "a");
  std::string directory = Dir(task);
  auto status = TryOpen(root, directory + "/status", O_RDONLY);
  auto listing = TryOpen(root, directory + "/task", O_RDONLY);
  ASSERT_EQ(Code(status), 0);
  EXPECT_TRUE(Exists(directory));
  Remove(task);
  EXPECT_FALSE(Exists(directory));
  EXPECT_FALSE(Exists(directory + "/status"));
  std::byte buffer[16];
  EXPECT_EQ(Code((*status)->Read(buffer)), ESRCH);
  vfs::NameSink sink;
  EXPECT_EQ(Code((*listing)->ReadDirectory(sink)), ENOENT);
}

TEST_F(ProcTest, StatusOfAProcessWithoutMemory) {
  RefPtr<kernel::Task> task = AddProcess(7, "a b");
  std::string status = Get(root, Dir(task) + "/status");
  EXPECT_NE(status.find("Name:\ta b\n"), std::string::npos);
  EXPECT_NE(status.find("Uid:\t7\t7\t7\t7\n"), std::string::npos);
  EXPECT_EQ(status.find("VmRSS"), std::string::npos);
  EXPECT_EQ(Get(root, Dir(task) + "/cmdline"), "");
  EXPECT_EQ(Get(root, Dir(task) + "/maps"), "");
  EXPECT_EQ(Link(root, Dir(task) + "/exe"), "errno 2");
  std::string stat = Get(root, Dir(task) + "/stat");
  EXPECT_EQ(stat.substr(0, 8), std::to_string(task->tid()) + " (a b) ");
}

TEST_F(ProcTest, SettingsAreCheckedWhenWritten) {
  RefPtr<kernel::Task> task = AddProcess(1000, "a");
  user.tgid = task->tid();
  auto write = [&](const std::string& path, std::string_view text) {
    auto file = TryOpen(user, path, O_WRONLY | O_TRUNC);
    if (!file.ok()) return file.error().value();
    return Code((*file)->Write(std::as_bytes(std::span(text)), user));
  };
  EXPECT_EQ(write("/proc/self/oom_score_adj", "300\n"), 0);
  EXPECT_EQ(Get(user, "/proc/self/oom_score_adj"), "300\n");
  EXPECT_EQ(write("/proc/self/oom_score_adj", "-1"), EACCES);
  EXPECT_EQ(write("/proc/self/oom_score_adj", "1001"), EINVAL);
  EXPECT_EQ(write("/proc/self/oom_score_adj", "x"), EINVAL);
  EXPECT_EQ(write("/proc/self/comm", "a name that is too long\n"), 0);
  EXPECT_EQ(Get(user, "/proc/self/comm"), "a name that is \n");
  EXPECT_EQ(write("/proc/self/uid_map", "0 0 1"), EPERM);
  EXPECT_EQ(write("/proc/sys/kernel/hostname", "x"), EACCES);  // By its mode.
  EXPECT_EQ(OpenCode(root, "/proc/sys/kernel/osrelease", O_WRONLY), EACCES);
}

TEST_F(ProcTest, SystemFiles) {
  EXPECT_EQ(Get(user, "/proc/meminfo").substr(0, 28), "MemTotal:        1048576 kB\n");
  EXPECT_NE(Get(user, "/proc/cpuinfo").find("processor\t: 2\n"), std::string::npos);
  EXPECT_EQ(Get(user, "/proc/sys/kernel/hostname"), "redoubt\n");
  std::string boot = Get(user, "/proc/sys/kernel/random/boot_id");
  EXPECT_EQ(boot.size(), 37u);
  EXPECT_EQ(Get(user, "/proc/sys/kernel/random/boot_id"), boot);
  EXPECT_NE(Get(user, "/proc/sys/kernel/random/uuid"), boot);
  EXPECT_EQ(Mkdir(root, "/proc/new"), EPERM);
}

TEST_F(ProcTest, NetworkTablesShowTheirProvidersRows) {
  RefPtr<kernel::Task> task = AddProcess(0, "a");
  std::string empty = Get(root, Dir(task) + "/net/unix");
  EXPECT_EQ(empty.substr(0, 3), "Num");
  SetNetRows("unix", [](net::NetworkNamespace&) { return std::string("a row\n"); });
  EXPECT_EQ(Get(root, Dir(task) + "/net/unix"), empty + "a row\n");
  SetNetRows("unix", nullptr);
}

}  // namespace
}  // namespace redoubt::proc
