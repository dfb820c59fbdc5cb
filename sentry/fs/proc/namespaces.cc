// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/namespaces.h"

#include <array>
#include <string>
#include <string_view>

#include "sentry/vfs/dentry.h"
#include "sentry/vfs/mount.h"

namespace redoubt::proc {

namespace {

constexpr uint64_t kNsfsMagic = 0x6e736673;

struct Kind {
  std::string_view type;
  uint64_t number;  // include/linux/proc_ns.h.
};
constexpr Kind kCgroup{"cgroup", 0xEFFFFFFB};
constexpr Kind kIpc{"ipc", 0xEFFFFFFF};
constexpr Kind kMount{"mnt", 0xF0000000};
constexpr Kind kNet{"net", 0xF0000001};
constexpr Kind kPid{"pid", 0xEFFFFFFC};
constexpr Kind kTime{"time", 0xEFFFFFFA};
constexpr Kind kUser{"user", 0xEFFFFFFD};
constexpr Kind kUts{"uts", 0xEFFFFFFE};

const RefPtr<vfs::Superblock>& Nsfs() {
  // Never destroyed: open files outlive main's end.
  static const auto* superblock =
      new RefPtr<vfs::Superblock>(MakeRef<fs::TreeSuperblock>("nsfs", kNsfsMagic));
  return *superblock;
}

// Where the link leads: a file without a place, that compares by its inode number.
template <const Kind& kKind>
Result<vfs::Path> Namespace(const Subject&) {
  auto inode = MakeRef<fs::TreeInode>(Nsfs(), S_IFREG | 0444, kKind.number);
  std::string name = std::string(kKind.type) + ":[" + std::to_string(kKind.number) + "]";
  return vfs::Path{vfs::Mount::Anonymous(), vfs::Dentry::CreateAnonymous(name, inode)};
}

constexpr auto kEntries = std::to_array<TaskEntry>({
    LinkEntry("cgroup", &Namespace<kCgroup>),
    LinkEntry("ipc", &Namespace<kIpc>),
    LinkEntry("mnt", &Namespace<kMount>),
    LinkEntry("net", &Namespace<kNet>),
    LinkEntry("pid", &Namespace<kPid>),
    LinkEntry("pid_for_children", &Namespace<kPid>),
    LinkEntry("time", &Namespace<kTime>),
    LinkEntry("time_for_children", &Namespace<kTime>),
    LinkEntry("user", &Namespace<kUser>),
    LinkEntry("uts", &Namespace<kUts>),
});

}  // namespace

std::span<const TaskEntry> NamespaceEntries() { return kEntries; }

}  // namespace redoubt::proc
