// SPDX-License-Identifier: Apache-2.0
#include "sentry/boot/copy_up.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <span>
#include <string>
#include <vector>

#include "sentry/vfs/inode.h"
#include "sentry/vfs/operations.h"
#include "sentry/vfs/path_walk.h"

namespace redoubt::boot {

namespace {

constexpr int kMostLevels = 64;
constexpr size_t kMostFiles = 100'000;

class NameSink final : public vfs::DirectorySink {
 public:
  bool Add(const vfs::DirectoryEntry& entry) override {
    names.emplace_back(entry.name);
    return true;
  }
  std::vector<std::string> names;
};

Result<std::vector<std::string>> Names(const vfs::Path& directory) {
  NameSink sink;
  int64_t offset = 0;
  while (true) {
    size_t before = sink.names.size();
    offset = TRY(directory.dentry->inode()->ReadDirectory(offset, sink));
    if (sink.names.size() == before) return std::move(sink.names);
    if (sink.names.size() > kMostFiles) return Errno(E2BIG);
  }
}

class Copier {
 public:
  explicit Copier(const vfs::Caller& caller) : caller_(caller) {}

  Result<void> CopyDirectory(const vfs::Path& from, const vfs::Path& to, int level) {
    if (level > kMostLevels) return Errno(E2BIG);
    std::vector<std::string> names = TRY(Names(from));
    for (const std::string& name : names) {
      if (++files_ > kMostFiles) return Errno(E2BIG);
      vfs::Path child = TRY(vfs::LookupChild(caller_, from, name));
      TRY(CopyOne(child, to, name, level));
    }
    return {};
  }

 private:
  Result<void> CopyOne(const vfs::Path& from, const vfs::Path& to, const std::string& name,
                       int level) {
    vfs::Attributes attributes = TRY(vfs::GetAttributes(from));
    uint32_t permissions = attributes.mode & 07777;
    switch (attributes.mode & S_IFMT) {
      case S_IFDIR: {
        TRY(vfs::MakeDirectory(caller_, to, name, 0700));
        vfs::Path made = TRY(vfs::LookupChild(caller_, to, name));
        TRY(CopyDirectory(from, made, level + 1));
        break;
      }
      case S_IFLNK: {
        std::string target = TRY(vfs::ReadLink(caller_, from));
        TRY(vfs::MakeSymlink(caller_, to, name, target));
        break;
      }
      case S_IFREG:
        TRY(CopyFile(from, to, name));
        break;
      default:
        TRY(vfs::MakeNode(caller_, to, name, attributes.mode, attributes.special_device));
    }
    vfs::Path made = TRY(vfs::LookupChild(caller_, to, name));
    TRY(vfs::ChangeOwner(caller_, made, attributes.uid, attributes.gid));
    if ((attributes.mode & S_IFMT) == S_IFLNK) return {};
    return vfs::ChangeMode(caller_, made, permissions);
  }

  Result<void> CopyFile(const vfs::Path& from, const vfs::Path& to, const std::string& name) {
    auto source = TRY(vfs::OpenPath(caller_, from, O_RDONLY));
    auto target =
        TRY(vfs::Open(caller_, to, name, {.flags = O_WRONLY | O_CREAT | O_EXCL, .mode = 0600}));
    std::array<std::byte, 16384> buffer;
    while (true) {
      size_t got = TRY(source->Read(buffer));
      if (got == 0) return {};
      std::span<const std::byte> data = std::span(buffer).first(got);
      while (!data.empty()) data = data.subspan(TRY(target->Write(data, caller_)));
    }
  }

  const vfs::Caller& caller_;
  size_t files_ = 0;
};

}  // namespace

Result<void> CopyUp(const vfs::Caller& caller, const vfs::Path& from, const vfs::Path& to) {
  return Copier(caller).CopyDirectory(from, to, 0);
}

}  // namespace redoubt::boot
