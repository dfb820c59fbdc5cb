// SPDX-License-Identifier: Apache-2.0
//
// MemoryMap: what the sentry knows of an address space (Linux's mm_struct without its VMA tree,
// which is the host's): brk, names of mappings, the executable, where arguments and environment
// lie. It vets every memory call before it is run in the stub.
#ifndef SENTRY_MM_MEMORY_MAP_H_
#define SENTRY_MM_MEMORY_MAP_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/owned_fd.h"
#include "base/ref_counted.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "platform/platform.h"
#include "sentry/vfs/caller.h"
#include "sentry/vfs/file_description.h"

namespace redoubt::mm {

inline constexpr uint64_t kPageSize = 4096;
constexpr uint64_t PageDown(uint64_t address) { return address & ~(kPageSize - 1); }
// 0 on overflow.
constexpr uint64_t PageUp(uint64_t address) { return PageDown(address + kPageSize - 1); }

struct MapRequest {
  uint64_t address = 0;
  uint64_t length = 0;
  int protection = 0;
  int flags = 0;
  RefPtr<vfs::FileDescription> file;  // Null for MAP_ANONYMOUS.
  uint64_t offset = 0;
};

// One line of /proc/PID/maps.
struct Mapping {
  uint64_t start = 0, end = 0;
  char permissions[5] = "---p";
  uint64_t offset = 0;
  uint64_t device = 0;        // The guest's st_dev.
  uint64_t inode_number = 0;  // The guest's.
  std::string name;           // Guest path, "[heap]", "[stack]", "[vdso]", "".
};

// Reads the host's procfs view of the stubs, through the one descriptor the sentry has for it
// (DESIGN invariant 4). Without it (fd -1) every read gives ENOENT.
class HostProc {
 public:
  explicit HostProc(OwnedFd procfs) : procfs_(std::move(procfs)) {}
  // `file` is "maps", "statm", "stat", "smaps" ... of the process `host_pid`.
  Result<std::string> Read(int host_pid, std::string_view file) const;

 private:
  OwnedFd procfs_;
};

// What stays the same for every address space.
struct MemoryPolicy {
  platform::AddressRange guest_range;
  std::vector<platform::AddressRange> shim_ranges;
  uint64_t vdso_address = 0;
  const HostProc* host_proc = nullptr;

  // Whether the guest may change [start, end): inside its range and off the shim.
  bool Allows(uint64_t start, uint64_t end) const;
};

// Where exec put things, for /proc/PID/{cmdline,environ,auxv,stat} and prctl(PR_SET_MM).
struct ImageLayout {
  uint64_t start_code = 0, end_code = 0, start_data = 0, end_data = 0;
  uint64_t start_stack = 0, stack_low = 0, stack_high = 0;
  uint64_t argument_start = 0, argument_end = 0, environment_start = 0, environment_end = 0;
  std::vector<uint64_t> auxiliary_vector;
  uint64_t entry = 0;
};

// What comes with a mapping beside the host's own: System V segments count their attachments.
// Held by the address space that has it; fork makes another one.
class Attachment : public RefCounted<Attachment> {
 public:
  virtual ~Attachment() = default;
  // Null: the child has none.
  virtual RefPtr<Attachment> ForFork() = 0;
};

// References are held by the tasks that run in it and by whoever reads /proc/PID.
class MemoryMap : public RefCounted<MemoryMap> {
 public:
  MemoryMap(const MemoryPolicy& policy, RefPtr<platform::AddressSpace> space);
  ~MemoryMap();
  // The map of a native fork of this address space.
  RefPtr<MemoryMap> Fork(RefPtr<platform::AddressSpace> space) const;

  const RefPtr<platform::AddressSpace>& space() const { return space_; }
  const MemoryPolicy& policy() const { return policy_; }

  // mmap(2) and friends, run in `context`'s stub after vetting. `readable`/`writable` of the file
  // are checked here (EACCES), as are ranges that belong to the shim (EPERM for a fixed mapping).
  SyscallResult Map(platform::Context& context, const MapRequest& request);
  SyscallResult Unmap(platform::Context& context, uint64_t address, uint64_t length);
  SyscallResult Protect(platform::Context& context, uint64_t address, uint64_t length,
                        int protection);
  SyscallResult Remap(platform::Context& context, uint64_t old_address, uint64_t old_length,
                      uint64_t new_length, int flags, uint64_t new_address);
  SyscallResult Advise(platform::Context& context, uint64_t address, uint64_t length, int advice);
  // brk(2): the new break, or the old one when it cannot move. `data_limit` is RLIMIT_DATA.
  uint64_t SetBreak(platform::Context& context, uint64_t address, uint64_t data_limit);
  void InitializeBreak(uint64_t start);
  uint64_t break_start() const;
  // Runs a call whose only memory argument is [address, address + length) (msync, mincore, mlock).
  SyscallResult RunVetted(platform::Context& context, long number, uint64_t address,
                          uint64_t length, uint64_t third);

  // `attachment` goes when all of [address, address + length) is unmapped, or with the map.
  void AddAttachment(uint64_t address, uint64_t length, RefPtr<Attachment> attachment);
  // False: ENOMEM. (Mappings that a platform unmaps by itself keep their attachments.)
  bool HasRoomForAttachment() const;
  struct Attached {
    uint64_t length = 0;
    RefPtr<Attachment> attachment;
  };
  // What begins at `address`, taken out; null when nothing does.
  Attached TakeAttachment(uint64_t address);
  Attached FindAttachment(uint64_t address) const;
  // At a process's end, before others hear of it.
  void ReleaseAttachments() { DropAttachments(0, ~uint64_t{0}); }

  void SetLayout(ImageLayout layout);
  ImageLayout layout() const;
  void SetExecutable(RefPtr<vfs::FileDescription> file);
  RefPtr<vfs::FileDescription> executable() const;

  // The host's view of the mappings with the guest's names, shim hidden. ENOENT when the host does
  // not show it.
  // Files are named as `view` sees them.
  Result<std::vector<Mapping>> Mappings(const vfs::Caller& view) const;
  // The most memory that was ever resident, KiB; 0 when the host does not tell.
  uint64_t PeakResidentKib() const;
  // Pages: total, resident, shared, text, 0, data, 0 (statm).
  Result<std::string> Statm() const;

 private:
  SyscallResult MapFile(platform::Context& context, const MapRequest& request, uint64_t address,
                        uint64_t length, int protection, int flags);
  void CopyTo(MemoryMap& copy) const;
  void DropAttachments(uint64_t start, uint64_t end);
  // Remembers what to call the mappings of the host file `fd`.
  void NameMappedFile(int fd, const vfs::Path& path);

  const MemoryPolicy& policy_;
  const RefPtr<platform::AddressSpace> space_;
  mutable Mutex<LockRank::kMm> mu_;
  uint64_t break_start_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t break_end_ ABSL_GUARDED_BY(mu_) = 0;
  ImageLayout layout_ ABSL_GUARDED_BY(mu_);
  RefPtr<vfs::FileDescription> executable_ ABSL_GUARDED_BY(mu_);
  std::map<uint64_t, Attached> attachments_ ABSL_GUARDED_BY(mu_);  // By address.
  // By the host's (device, inode) as /proc/PID/maps prints them. Bounded: see NameMappedFile.
  absl::flat_hash_map<std::pair<uint64_t, uint64_t>, vfs::Path> mapped_files_ ABSL_GUARDED_BY(mu_);
};

}  // namespace redoubt::mm

#endif  // SENTRY_MM_MEMORY_MAP_H_
