// SPDX-License-Identifier: Apache-2.0
//
// /proc/self/fd, kept open: the way from an O_PATH descriptor, which says what a file is, to an
// operation on that very file without a second look-up by name (open it, truncate it, link it).
//
// The process makes that directory its working directory, so that "17" names descriptor 17. It is
// a detached copy of the mount of that one directory: ".." leads nowhere, and nothing else of
// procfs can be reached through it.
#ifndef GOFER_SERVER_OWN_DESCRIPTORS_H_
#define GOFER_SERVER_OWN_DESCRIPTORS_H_

#include "base/owned_fd.h"
#include "base/result.h"

namespace redoubt::gofer {

// To be called by the process that will serve (never its parent), while it sees /proc and may still
// make mounts. Without the right to make mounts: the directory itself, as it is.
Result<OwnedFd> OpenOwnDescriptors();

// Enters it. From here on relative paths name descriptors.
Result<void> EnterOwnDescriptors(const OwnedFd& directory);

// The relative path of a descriptor.
class DescriptorPath {
 public:
  explicit DescriptorPath(int fd);
  const char* get() const { return text_; }

 private:
  char text_[12];
};

}  // namespace redoubt::gofer

#endif  // GOFER_SERVER_OWN_DESCRIPTORS_H_
