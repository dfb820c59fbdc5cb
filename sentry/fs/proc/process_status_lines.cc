// SPDX-License-Identifier: Apache-2.0
//
// /proc/PID/status (proc_pid_status() in fs/proc/array.c).
#include <algorithm>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sentry/fs/proc/process_snapshot.h"
#include "sentry/fs/proc/process_status.h"

namespace redoubt::proc {

namespace {

const char* StateName(char letter) {
  switch (letter) {
    case 'R':
      return "R (running)";
    case 'S':
      return "S (sleeping)";
    case 'T':
      return "T (stopped)";
    case 'Z':
      return "Z (zombie)";
    default:
      return "X (dead)";
  }
}

void AddIdentity(const Subject& subject, const ProcessSnapshot& now, std::string& text) {
  const kernel::Task& task = *subject.task;
  RefPtr<kernel::Credentials> who = task.credentials();
  RefPtr<kernel::FsContext> fs = task.fs();
  RefPtr<kernel::FdTable> table = task.fd_table();
  size_t slots = 64;
  while (table && slots < table->List().size()) slots *= 2;
  absl::StrAppend(&text, "Name:\t", task.name(), "\n");
  if (fs) absl::StrAppendFormat(&text, "Umask:\t%04o\n", fs->umask());
  absl::StrAppend(&text, "State:\t", StateName(now.state), "\nTgid:\t", subject.group->tgid(),
                  "\nNgid:\t0\nPid:\t", task.tid(), "\nPPid:\t", now.parent, "\nTracerPid:\t0\n");
  absl::StrAppendFormat(&text, "Uid:\t%d\t%d\t%d\t%d\n", who->uid, who->euid, who->suid,
                        who->fsuid);
  absl::StrAppendFormat(&text, "Gid:\t%d\t%d\t%d\t%d\n", who->gid, who->egid, who->sgid,
                        who->fsgid);
  absl::StrAppend(&text, "FDSize:\t", table ? slots : 0, "\nGroups:\t",
                  absl::StrJoin(who->groups, " "), " \n");
  absl::StrAppend(&text, "NStgid:\t", subject.group->tgid(), "\nNSpid:\t", task.tid(),
                  "\nNSpgid:\t", now.process_group, "\nNSsid:\t", now.session, "\n");
}

// What the stub has, which is the guest's memory and a few pages of the shim.
void AddMemory(const Subject& subject, const std::map<std::string, std::string>& host,
               std::string& text) {
  if (!subject.task->memory()) return;
  for (const char* name :
       {"VmPeak", "VmSize", "VmLck", "VmPin", "VmHWM", "VmRSS", "RssAnon", "RssFile", "RssShmem",
        "VmData", "VmStk", "VmExe", "VmLib", "VmPTE", "VmSwap"}) {
    auto line = host.find(name);
    absl::StrAppend(&text, name, ":\t", line == host.end() ? "       0 kB" : line->second, "\n");
  }
  absl::StrAppend(&text, "HugetlbPages:\t       0 kB\nCoreDumping:\t0\nTHP_enabled:\t1\n");
}

void AddSignals(const Subject& subject, const ProcessSnapshot& now, std::string& text) {
  absl::StrAppend(&text, "Threads:\t", now.threads, "\nSigQ:\t0/",
                  subject.group->limit(RLIMIT_SIGPENDING).current, "\n");
  absl::StrAppendFormat(&text, "SigPnd:\t%016x\nShdPnd:\t%016x\n", now.thread_pending.bits(),
                        now.group_pending.bits());
  absl::StrAppendFormat(&text, "SigBlk:\t%016x\nSigIgn:\t%016x\nSigCgt:\t%016x\n",
                        now.blocked.bits(), now.ignored.bits(), now.caught.bits());
}

void AddRights(const Subject& subject, std::string& text) {
  RefPtr<kernel::Credentials> who = subject.task->credentials();
  absl::StrAppendFormat(&text, "CapInh:\t%016x\nCapPrm:\t%016x\nCapEff:\t%016x\n", who->inheritable,
                        who->permitted, who->effective);
  absl::StrAppendFormat(&text, "CapBnd:\t%016x\nCapAmb:\t%016x\n", who->bounding, who->ambient);
  RefPtr<const seccomp::Filter> filter = subject.task->seccomp.Share();
  absl::StrAppendFormat(&text, "NoNewPrivs:\t%d\nSeccomp:\t%d\nSeccomp_filters:\t%d\n",
                        subject.task->no_new_privileges.load(), subject.task->seccomp.mode(),
                        filter ? filter->depth() : 0);
}

void AddProcessors(const Subject& subject, std::string& text) {
  unsigned cpus = std::min(subject.kernel.cpu_count(), 64u);
  uint64_t all = cpus >= 64 ? ~uint64_t{0} : (uint64_t{1} << cpus) - 1;
  uint64_t allowed = subject.task->affinity_mask.load() & all;
  absl::StrAppendFormat(&text, "Cpus_allowed:\t%x\nCpus_allowed_list:\t%s\n", allowed,
                        FormatBitList(allowed));
  absl::StrAppend(&text, "Mems_allowed:\t1\nMems_allowed_list:\t0\n");
}

void AddSwitches(const std::map<std::string, std::string>& host, std::string& text) {
  for (const char* name : {"voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"}) {
    auto line = host.find(name);
    absl::StrAppend(&text, name, ":\t", line == host.end() ? "0" : line->second, "\n");
  }
}

}  // namespace

std::string FormatBitList(uint64_t bits) {
  std::string text;
  for (int first = 0; first < 64; ++first) {
    if ((bits >> first & 1) == 0) continue;
    int last = first;
    while (last < 63 && (bits >> (last + 1) & 1) != 0) ++last;
    absl::StrAppend(&text, text.empty() ? "" : ",", first);
    if (last > first) absl::StrAppend(&text, "-", last);
    first = last;
  }
  return text;
}

Result<std::string> Status(const Subject& subject) {
  ProcessSnapshot now = TakeSnapshot(subject);
  std::map<std::string, std::string> host = ReadHostStatus(subject);
  std::string text;
  AddIdentity(subject, now, text);
  AddMemory(subject, host, text);
  AddSignals(subject, now, text);
  AddRights(subject, text);
  AddProcessors(subject, text);
  AddSwitches(host, text);
  return text;
}

}  // namespace redoubt::proc
