// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/process_links.h"

namespace redoubt::proc {

Result<vfs::Path> Executable(const Subject& subject) {
  RefPtr<mm::MemoryMap> memory = subject.task->memory();
  RefPtr<vfs::FileDescription> file = memory ? memory->executable() : nullptr;
  if (!file) return Errno(ENOENT);
  return file->path();
}

Result<vfs::Path> WorkingDirectory(const Subject& subject) {
  RefPtr<kernel::FsContext> fs = subject.task->fs();
  if (!fs) return Errno(ENOENT);
  return fs->working_directory();
}

Result<vfs::Path> RootDirectory(const Subject& subject) {
  RefPtr<kernel::FsContext> fs = subject.task->fs();
  if (!fs) return Errno(ENOENT);
  return fs->root();
}

}  // namespace redoubt::proc
