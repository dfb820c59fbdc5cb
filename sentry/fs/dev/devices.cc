// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/dev/devices.h"

#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/host/syscall.h"
#include "base/sync/mutex.h"
#include "sentry/fs/pipe/pipe_file.h"
#include "sentry/fs/tty/job_control.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/special_files.h"

namespace redoubt::fs {

namespace {

using vfs::Caller;

// A device without a position: reads and writes are alike at every offset.
class MemoryDevice : public vfs::FileDescription {
 public:
  using FileDescription::FileDescription;
  Result<size_t> Write(std::span<const std::byte> data, const Caller& caller) override {
    return data.size();
  }
  Result<size_t> PRead(std::span<std::byte> buffer, uint64_t offset) override {
    return Read(buffer);
  }
  Result<size_t> PWrite(std::span<const std::byte> data, uint64_t offset,
                        const Caller& caller) override {
    return Write(data, caller);
  }
  // Linux: null_lseek().
  Result<int64_t> Seek(int64_t offset, int whence) override { return int64_t{0}; }
};

class NullFile final : public MemoryDevice {
 public:
  using MemoryDevice::MemoryDevice;
  Result<size_t> Read(std::span<std::byte> buffer) override { return size_t{0}; }
};

class ZeroFile final : public MemoryDevice {
 public:
  using MemoryDevice::MemoryDevice;
  Result<size_t> Read(std::span<std::byte> buffer) override {
    std::fill(buffer.begin(), buffer.end(), std::byte{0});
    return buffer.size();
  }
  Result<vfs::HostMapping> Map(bool shared_writable) override {
    vfs::HostMapping mapping;
    mapping.anonymous = true;
    return mapping;
  }
};

class FullFile final : public MemoryDevice {
 public:
  using MemoryDevice::MemoryDevice;
  Result<size_t> Read(std::span<std::byte> buffer) override {
    std::fill(buffer.begin(), buffer.end(), std::byte{0});
    return buffer.size();
  }
  Result<size_t> Write(std::span<const std::byte> data, const Caller& caller) override {
    if (data.empty()) return size_t{0};
    return Errno(ENOSPC);
  }
};

// random and urandom: the host's generator. What is written is taken and not used: the pool is the
// host's, not this guest's to mix.
class RandomFile final : public MemoryDevice {
 public:
  using MemoryDevice::MemoryDevice;
  Result<size_t> Read(std::span<std::byte> buffer) override {
    size_t done = 0;
    while (done < buffer.size()) {
      done +=
          TRY(host::Call([&] { return getrandom(buffer.data() + done, buffer.size() - done, 0); }));
    }
    return done;
  }
};

struct Console {
  Mutex<LockRank::kLeaf> mu;
  RefPtr<vfs::FileDescription> file ABSL_GUARDED_BY(mu);
};
Console& TheConsole() {
  static auto* console = new Console;
  return *console;
}

// /dev/tty: whatever controls the caller's session.
Result<RefPtr<vfs::FileDescription>> OpenControllingTerminal(const vfs::Path& path, uint32_t flags,
                                                             const Caller& caller) {
  const RefPtr<Terminal> terminal = TRY(CurrentJobControl().ControllingTerminal(caller));
  return terminal->OpenAgain(path, flags);
}

Result<RefPtr<vfs::FileDescription>> OpenConsole(const vfs::Path& path, uint32_t flags,
                                                 const Caller& caller) {
  RefPtr<vfs::FileDescription> console;
  {
    MutexLock lock(&TheConsole().mu);
    console = TheConsole().file;
  }
  if (!console) return Errno(ENXIO);
  return console->inode()->Open(path, flags, caller);
}

Result<RefPtr<vfs::FileDescription>> OpenCharacterSpecial(const vfs::Path& path, vfs::Inode& inode,
                                                          uint64_t device, uint32_t flags,
                                                          const Caller& caller) {
  return OpenCharacterDevice(device, path, flags, caller);
}

Result<RefPtr<vfs::FileDescription>> OpenFifoSpecial(const vfs::Path& path, vfs::Inode& inode,
                                                     uint64_t device, uint32_t flags,
                                                     const Caller& caller) {
  return OpenFifo(path, flags);
}

template <typename T>
Result<RefPtr<vfs::FileDescription>> Make(const vfs::Path& path, uint32_t flags) {
  return RefPtr<vfs::FileDescription>(MakeRef<T>(path, flags));
}

}  // namespace

Result<RefPtr<vfs::FileDescription>> OpenCharacterDevice(uint64_t number, const vfs::Path& path,
                                                         uint32_t flags, const Caller& caller) {
  switch (number) {
    case kNullDevice:
      return Make<NullFile>(path, flags);
    case kZeroDevice:
      return Make<ZeroFile>(path, flags);
    case kFullDevice:
      return Make<FullFile>(path, flags);
    case kRandomDevice:
    case kUrandomDevice:
      return Make<RandomFile>(path, flags);
    case kTtyDevice:
      return OpenControllingTerminal(path, flags, caller);
    case kConsoleDevice:
      return OpenConsole(path, flags, caller);
    default:
      return Errno(ENXIO);
  }
}

void RegisterSpecialFiles() {
  vfs::RegisterSpecialFileOpener(S_IFCHR, &OpenCharacterSpecial);
  vfs::RegisterSpecialFileOpener(S_IFIFO, &OpenFifoSpecial);
}

void SetConsole(RefPtr<vfs::FileDescription> console) {
  RefPtr<vfs::FileDescription> old;  // Goes after the lock.
  MutexLock lock(&TheConsole().mu);
  old = std::exchange(TheConsole().file, std::move(console));
}

bool IsZeroDevice(vfs::FileDescription& file) { return dynamic_cast<ZeroFile*>(&file) != nullptr; }

}  // namespace redoubt::fs
