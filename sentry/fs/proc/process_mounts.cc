// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/process_mounts.h"

#include <sys/mount.h>
#include <sys/sysmacros.h>

#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/path_walk.h"

namespace redoubt::proc {

namespace {

// Fields are separated by blanks: what could be taken for one is written in octal.
std::string Escape(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\\' || c == '#') {
      absl::StrAppendFormat(&escaped, "\\%03o", c);
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string MountOptions(const vfs::Mount& mount) {
  static constexpr std::pair<unsigned long, const char*> kFlags[] = {
      {MS_NOSUID, ",nosuid"},    {MS_NODEV, ",nodev"},           {MS_NOEXEC, ",noexec"},
      {MS_NOATIME, ",noatime"},  {MS_NODIRATIME, ",nodiratime"}, {MS_RELATIME, ",relatime"},
      {MS_SYNCHRONOUS, ",sync"},
  };
  std::string text = mount.IsReadOnly() ? "ro" : "rw";
  for (const auto& [flag, name] : kFlags) {
    if ((mount.flags() & flag) != 0) text += name;
  }
  return text;
}

std::string SuperblockOptions(const vfs::Superblock& superblock) {
  std::string own = superblock.ShowOptions();
  return own.empty() ? own : "," + own;
}

// Which directory of its file system a mount shows.
std::string RootInside(const vfs::Mount& mount) {
  std::string text;
  ReaderMutexLock lock(&mount.superblock()->tree_mu_);
  for (const vfs::Dentry* at = mount.root().get(); at->parentLocked();
       at = at->parentLocked().get()) {
    text = "/" + at->nameLocked() + text;
  }
  return text.empty() ? "/" : text;
}

struct VisibleMount {
  vfs::MountNamespace::Entry entry;
  std::string place;  // As seen from the process's root.
};

std::vector<VisibleMount> ListVisible(const Subject& subject) {
  std::vector<VisibleMount> visible;
  vfs::Caller view = subject.View();
  if (!view.root.valid()) return visible;
  RefPtr<kernel::FsContext> fs = subject.task->fs();
  if (!fs) return visible;
  for (vfs::MountNamespace::Entry& entry : fs->mounts()->List()) {
    std::string place = vfs::PathText(view, vfs::Path{entry.mount, entry.mount->root()});
    if (!place.starts_with('/')) continue;  // Above or beside a chroot(2).
    visible.push_back({std::move(entry), std::move(place)});
  }
  return visible;
}

}  // namespace

Result<std::string> Mounts(const Subject& subject) {
  std::string text;
  for (const VisibleMount& visible : ListVisible(subject)) {
    const vfs::Mount& mount = *visible.entry.mount;
    absl::StrAppend(&text, Escape(mount.source()), " ", Escape(visible.place), " ",
                    mount.superblock()->type(), " ", MountOptions(mount),
                    SuperblockOptions(*mount.superblock()), " 0 0\n");
  }
  return text;
}

Result<std::string> Mountstats(const Subject& subject) {
  std::string text;
  for (const VisibleMount& visible : ListVisible(subject)) {
    const vfs::Mount& mount = *visible.entry.mount;
    absl::StrAppend(&text, "device ", Escape(mount.source()), " mounted on ",
                    Escape(visible.place), " with fstype ", mount.superblock()->type(), "\n");
  }
  return text;
}

Result<std::string> Mountinfo(const Subject& subject) {
  std::string text;
  for (const VisibleMount& visible : ListVisible(subject)) {
    const vfs::Mount& mount = *visible.entry.mount;
    uint64_t device = mount.superblock()->device();
    // A root's parent is a mount that nobody sees; any number but its own will do.
    int parent = visible.entry.parent_id != 0 ? visible.entry.parent_id : mount.id() - 1;
    absl::StrAppendFormat(&text, "%d %d %d:%d ", mount.id(), parent, major(device), minor(device));
    absl::StrAppend(&text, Escape(RootInside(mount)), " ", Escape(visible.place), " ",
                    MountOptions(mount), " - ", mount.superblock()->type(), " ",
                    Escape(mount.source()), " ", mount.IsReadOnly() ? "ro" : "rw",
                    SuperblockOptions(*mount.superblock()), "\n");
  }
  return text;
}

}  // namespace redoubt::proc
