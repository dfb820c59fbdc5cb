// SPDX-License-Identifier: Apache-2.0
//
// /proc/sys. What programs read to size themselves; only names of the machine can be written.
#include <string>
#include <utility>

#include "abi/linux/version.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sentry/fs/proc/system_files.h"

namespace redoubt::proc {

namespace {

// Every setting with the same text for ever.
constexpr std::pair<std::string_view, std::string_view> kFixed[] = {
    {"sys/fs/aio-max-nr", "65536"},
    {"sys/fs/aio-nr", "0"},
    {"sys/fs/dentry-state", "0\t0\t45\t0\t0\t0"},
    {"sys/fs/dir-notify-enable", "1"},
    {"sys/fs/epoll/max_user_watches", "1000000"},
    {"sys/fs/inode-nr", "0\t0"},
    {"sys/fs/leases-enable", "1"},
    {"sys/fs/mount-max", "100000"},
    {"sys/fs/overflowgid", "65534"},
    {"sys/fs/overflowuid", "65534"},
    {"sys/fs/pipe-user-pages-hard", "0"},
    {"sys/fs/pipe-user-pages-soft", "16384"},
    {"sys/fs/protected_fifos", "0"},
    {"sys/fs/protected_regular", "0"},
    {"sys/fs/file-max", "1048576"},
    {"sys/fs/inotify/max_queued_events", "16384"},
    {"sys/fs/inotify/max_user_instances", "128"},
    {"sys/fs/inotify/max_user_watches", "65536"},
    {"sys/fs/lease-break-time", "45"},
    {"sys/fs/mqueue/msg_default", "10"},
    {"sys/fs/mqueue/msg_max", "10"},
    {"sys/fs/mqueue/msgsize_default", "8192"},
    {"sys/fs/mqueue/msgsize_max", "8192"},
    {"sys/fs/mqueue/queues_max", "256"},
    {"sys/fs/nr_open", "1048576"},
    {"sys/fs/pipe-max-size", "1048576"},
    {"sys/fs/protected_hardlinks", "0"},
    {"sys/fs/protected_symlinks", "0"},
    {"sys/fs/suid_dumpable", "0"},
    {"sys/kernel/auto_msgmni", "0"},
    {"sys/kernel/cap_last_cap", "40"},
    {"sys/kernel/ctrl-alt-del", "0"},
    {"sys/kernel/dmesg_restrict", "1"},
    {"sys/kernel/io_uring_disabled", "2"},
    {"sys/kernel/keys/maxkeys", "200"},
    {"sys/kernel/modules_disabled", "1"},
    {"sys/kernel/msg_next_id", "-1"},
    {"sys/kernel/numa_balancing", "0"},
    {"sys/kernel/panic_on_oops", "0"},
    {"sys/kernel/sched_child_runs_first", "0"},
    {"sys/kernel/sched_rr_timeslice_ms", "100"},
    {"sys/kernel/sched_rt_period_us", "1000000"},
    {"sys/kernel/sem_next_id", "-1"},
    {"sys/kernel/shm_next_id", "-1"},
    {"sys/kernel/shm_rmid_forced", "0"},
    {"sys/kernel/sysrq", "0"},
    {"sys/kernel/unprivileged_bpf_disabled", "2"},
    {"sys/kernel/core_pattern", "core"},
    {"sys/kernel/core_uses_pid", "0"},
    {"sys/kernel/kptr_restrict", "1"},
    {"sys/kernel/msgmax", "8192"},
    {"sys/kernel/msgmnb", "16384"},
    {"sys/kernel/msgmni", "32000"},
    {"sys/kernel/ngroups_max", "65536"},
    {"sys/kernel/osrelease", abi::kLinuxRelease},
    {"sys/kernel/ostype", abi::kSystemName},
    {"sys/kernel/overflowgid", "65534"},
    {"sys/kernel/overflowuid", "65534"},
    {"sys/kernel/panic", "0"},
    {"sys/kernel/perf_event_paranoid", "4"},
    {"sys/kernel/pid_max", "4194304"},
    {"sys/kernel/printk", "4\t4\t1\t7"},
    {"sys/kernel/random/entropy_avail", "256"},
    {"sys/kernel/random/poolsize", "256"},
    {"sys/kernel/randomize_va_space", "2"},
    {"sys/kernel/sched_rt_runtime_us", "950000"},
    {"sys/kernel/sem", "32000\t1024000\t500\t32000"},
    {"sys/kernel/shmall", "18446744073692774399"},
    {"sys/kernel/shmmax", "18446744073692774399"},
    {"sys/kernel/shmmni", "4096"},
    {"sys/kernel/tainted", "0"},
    {"sys/kernel/version", abi::kLinuxVersion},
    {"sys/kernel/yama/ptrace_scope", "0"},
    {"sys/user/max_user_namespaces", "0"},
    {"sys/vm/admin_reserve_kbytes", "8192"},
    {"sys/vm/dirty_background_bytes", "0"},
    {"sys/vm/dirty_background_ratio", "10"},
    {"sys/vm/dirty_bytes", "0"},
    {"sys/vm/dirty_expire_centisecs", "3000"},
    {"sys/vm/dirty_ratio", "20"},
    {"sys/vm/drop_caches", "0"},
    {"sys/vm/max_map_count", "65530"},
    {"sys/vm/mmap_min_addr", "65536"},
    {"sys/vm/min_free_kbytes", "67584"},
    {"sys/vm/nr_hugepages", "0"},
    {"sys/vm/nr_overcommit_hugepages", "0"},
    {"sys/vm/oom_kill_allocating_task", "0"},
    {"sys/vm/overcommit_kbytes", "0"},
    {"sys/vm/overcommit_memory", "0"},
    {"sys/vm/page-cluster", "3"},
    {"sys/vm/overcommit_ratio", "50"},
    {"sys/vm/panic_on_oom", "0"},
    {"sys/vm/swappiness", "60"},
    {"sys/vm/vfs_cache_pressure", "100"},
};

Result<std::string> Hostname(kernel::Kernel& kernel) { return kernel.hostname() + "\n"; }
Result<std::string> Domainname(kernel::Kernel& kernel) { return kernel.domainname() + "\n"; }

// sethostname(2) by another door: the same right is asked.
Result<std::string> NameToSet(std::string_view text, const vfs::Caller& caller) {
  if (!caller.HasCapability(CAP_SYS_ADMIN)) return Errno(EPERM);
  constexpr size_t kMaxName = 64;
  text = text.substr(0, text.find_first_of(std::string_view("\n\0", 2)));
  return std::string(text.substr(0, kMaxName));
}

Result<void> SetHostname(kernel::Kernel& kernel, std::string_view text, const vfs::Caller& caller) {
  kernel.SetHostname(TRY(NameToSet(text, caller)));
  return {};
}

Result<void> SetDomainname(kernel::Kernel& kernel, std::string_view text,
                           const vfs::Caller& caller) {
  kernel.SetDomainname(TRY(NameToSet(text, caller)));
  return {};
}

// A random (version 4) UUID.
std::string NewUuid(kernel::Kernel& kernel) {
  uint64_t high = kernel.Random(), low = kernel.Random();
  high = (high & ~uint64_t{0xf000}) | 0x4000;
  low = (low & ~(uint64_t{3} << 62)) | uint64_t{2} << 62;
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x\n", high >> 32, high >> 16 & 0xffff,
                         high & 0xffff, low >> 48, low & 0xffff'ffff'ffff);
}

Result<std::string> Uuid(kernel::Kernel& kernel) { return NewUuid(kernel); }

Result<std::string> ThreadsMax(kernel::Kernel& kernel) {
  return absl::StrCat(kernel.tasks().max_tasks(), "\n");
}

// Open files are not counted in one place: allocated, free, the limit.
Result<std::string> FileNr(kernel::Kernel&) { return std::string("0\t0\t1048576\n"); }

constexpr SystemEntry kComputed[] = {
    {"sys/fs/file-nr", 0444, &FileNr},
    {"sys/kernel/domainname", 0644, &Domainname, &SetDomainname},
    {"sys/kernel/hostname", 0644, &Hostname, &SetHostname},
    {"sys/kernel/random/uuid", 0444, &Uuid},
    {"sys/kernel/threads-max", 0444, &ThreadsMax},
};

}  // namespace

void AddSysctls(fs::TextTree& tree, kernel::Kernel& kernel) {
  for (const auto& [path, text] : kFixed) {
    tree.AddFile(path, 0444,
                 [text = text]() -> Result<std::string> { return std::string(text) + "\n"; });
  }
  AddNetworkSysctls(tree);
  AddEntries(tree, kernel, kComputed);
  tree.AddFile("sys/kernel/random/boot_id", 0444,
               [id = NewUuid(kernel)]() -> Result<std::string> { return id; });
}

}  // namespace redoubt::proc
