// SPDX-License-Identifier: Apache-2.0
//
// What a fresh /dev holds (the OCI runtime specification's default devices and links).
#include <sys/stat.h>

#include "sentry/fs/dev/devices.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/operations.h"

namespace redoubt::fs {

namespace {

struct Node {
  const char* name;
  uint64_t device;
};
constexpr Node kNodes[] = {
    {"null", kNullDevice},     {"zero", kZeroDevice},       {"full", kFullDevice},
    {"random", kRandomDevice}, {"urandom", kUrandomDevice}, {"tty", kTtyDevice},
};

struct Link {
  const char* name;
  const char* target;
};
constexpr Link kLinks[] = {
    {"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"}, {"core", "/proc/kcore"},      {"ptmx", "pts/ptmx"},
};

constexpr const char* kDirectories[] = {"shm", "pts", "mqueue"};

// What is there already is left alone.
Result<void> UnlessThere(Result<void> made) { return made.Is(EEXIST) ? Result<void>() : made; }

}  // namespace

Result<void> PopulateDev(const vfs::Caller& caller, const vfs::Path& dev, bool console) {
  vfs::Caller root = caller;
  root.umask = 0;
  for (const Node& node : kNodes) {
    TRY(UnlessThere(vfs::MakeNode(root, dev, node.name, S_IFCHR | 0666, node.device)));
  }
  if (console) {
    TRY(UnlessThere(vfs::MakeNode(root, dev, "console", S_IFCHR | 0620, kConsoleDevice)));
  }
  for (const Link& link : kLinks) {
    TRY(UnlessThere(vfs::MakeSymlink(root, dev, link.name, link.target)));
  }
  for (const char* directory : kDirectories) {
    TRY(UnlessThere(vfs::MakeDirectory(root, dev, directory, 0755)));
  }
  return {};
}

}  // namespace redoubt::fs
