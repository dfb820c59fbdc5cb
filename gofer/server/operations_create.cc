// SPDX-License-Identifier: Apache-2.0
//
// New files and new names.
#include <fcntl.h>
#include <unistd.h>

#include "base/host/syscall.h"
#include "gofer/server/operations.h"
#include "gofer/server/own_descriptors.h"

namespace redoubt::gofer {
namespace {

constexpr int kNewFileFlags =
    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

// Makes the name. Of a regular file, gives the descriptor it was made with. umask is 0 here.
Result<OwnedFd> Make(int directory, const CreateRequest& request) {
  const char* name = request.name().c_str();
  mode_t mode = request.mode();
  switch (mode & S_IFMT) {
    case S_IFREG: {
      unsigned fd =
          TRY(host::Call([&] { return openat(directory, name, kNewFileFlags, mode & 07777); }));
      return OwnedFd(static_cast<int>(fd));
    }
    case S_IFDIR:
      TRY(host::Call([&] { return mkdirat(directory, name, mode & 07777); }));
      return OwnedFd();
    case S_IFLNK:
      TRY(host::Call([&] { return symlinkat(request.link_target().c_str(), directory, name); }));
      return OwnedFd();
    case S_IFIFO:
    case S_IFSOCK:
    case S_IFCHR:  // Device 0 only: an overlay's whiteout, which no driver answers.
      TRY(host::Call([&] { return mknodat(directory, name, mode, 0); }));
      return OwnedFd();
    default:
      return Errno(EPERM);
  }
}

// Gives the new file its owner, and the mode bits that the host dropped or chown cleared.
Result<void> Complete(int fd, const CreateRequest& request, HostStat* stat) {
  bool changed = false;
  if (stat->stx_uid != request.uid() || stat->stx_gid != request.gid()) {
    TRY(host::Call([&] {
      return fchownat(fd, "", request.uid(), request.gid(), AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
    }));
    changed = true;
  }
  bool has_mode = TypeOf(*stat) != S_IFLNK;
  if (has_mode && (changed || (stat->stx_mode & 07777u) != (request.mode() & 07777u))) {
    TRY(host::Call([&] { return chmod(DescriptorPath(fd).get(), request.mode() & 07777); }));
    changed = true;
  }
  if (changed) *stat = TRY(StatFd(fd));
  return {};
}

}  // namespace

Result<void> Operations::Create(const CreateRequest& request, Response* response, OwnedFd* fd) {
  Node* directory = TRY(FindWritableDirectory(request.directory()));
  if (request.name().empty()) return CreateNameless(request, directory, response, fd);
  int directory_fd = TRY(nodes_.Fd(directory));
  OwnedFd made = TRY(Make(directory_fd, request));
  OwnedFd path;
  if (!made.valid()) path = OwnedFd(TRY(OpenComponent(directory_fd, request.name().c_str())));
  int file_fd = made.valid() ? made.get() : path.get();
  HostStat stat = TRY(StatFd(file_fd));
  Result<void> completed = Complete(file_fd, request, &stat);
  Result<Node*> added = completed.ok()
                            ? nodes_.Add(directory, request.name(), stat, std::move(path))
                            : Result<Node*>(completed.error());
  if (!added.ok()) {
    unlinkat(directory_fd, request.name().c_str(), S_ISDIR(request.mode()) ? AT_REMOVEDIR : 0);
    return added.error();
  }
  Node* node = *added;
  FileNode* answer = response->add_nodes();
  answer->set_handle(node->handle);
  FillAttributes(stat, answer->mutable_attributes());
  *fd = std::move(made);
  return FillDirectory(directory_fd, response->mutable_directory());
}

Result<void> Operations::CreateNameless(const CreateRequest& request, Node* directory,
                                        Response* response, OwnedFd* fd) {
  if (!S_ISREG(request.mode())) return Errno(EINVAL);
  int directory_fd = TRY(nodes_.Fd(directory));
  constexpr int kFlags = O_TMPFILE | O_RDWR | O_CLOEXEC;
  unsigned opened =
      TRY(host::Call([&] { return openat(directory_fd, ".", kFlags, request.mode() & 07777); }));
  OwnedFd file(static_cast<int>(opened));
  HostStat stat = TRY(StatFd(file.get()));
  TRY(Complete(file.get(), request, &stat));
  OwnedFd path = TRY(Reopen(file.get(), O_PATH));
  Node* node = TRY(nodes_.AddNameless(*directory, stat, std::move(path)));
  FileNode* answer = response->add_nodes();
  answer->set_handle(node->handle);
  FillAttributes(stat, answer->mutable_attributes());
  *fd = std::move(file);
  return {};
}

Result<void> Operations::Link(const LinkRequest& request, Response* response) {
  Node* directory = TRY(FindWritableDirectory(request.directory()));
  Node* target = TRY(FindWritable(request.target()));
  if (target->attach_point != directory->attach_point) return Errno(EXDEV);
  if (target->IsDirectory()) return Errno(EPERM);
  int directory_fd = TRY(nodes_.Fd(directory));
  int target_fd = TRY(nodes_.Fd(target));
  // Through the descriptor, so that it is this file whatever its name means by now. The link that
  // is followed is the one in /proc/self/fd.
  TRY(host::Call([&] {
    return linkat(AT_FDCWD, DescriptorPath(target_fd).get(), directory_fd, request.name().c_str(),
                  AT_SYMLINK_FOLLOW);
  }));
  FillAttributes(TRY(StatFd(target_fd)), response->mutable_attributes());
  TRY(FillDirectory(directory_fd, response->mutable_directory()));
  nodes_.Relocate(target, directory, request.name());
  return {};
}

}  // namespace redoubt::gofer
