// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/system_lists.h"

#include "abi/linux/version.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace redoubt::proc {

Result<std::string> Cgroups(kernel::Kernel&) {
  return std::string("#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
}

Result<std::string> KernelCmdline(kernel::Kernel&) { return std::string("redoubt\n"); }

Result<std::string> Devices(kernel::Kernel&) {
  return std::string(
      "Character devices:\n"
      "  1 mem\n"
      "  4 tty\n"
      "  5 /dev/tty\n"
      "  5 /dev/console\n"
      "  5 /dev/ptmx\n"
      " 10 misc\n"
      "136 pts\n"
      "\n"
      "Block devices:\n");
}

Result<std::string> Crypto(kernel::Kernel&) {
  return std::string(
      "name         : stdrng\ndriver       : redoubt\nmodule       : kernel\npriority     : 100\n"
      "refcnt       : 1\nselftest     : passed\ninternal     : no\ntype         : rng\n"
      "seedsize     : 0\n\n");
}

// Root has no keys.
Result<std::string> KeyUsers(kernel::Kernel&) {
  return std::string("    0:     1 0/0 0/1000000 0/25000000\n");
}

// Waiting for resources is the host's matter and not told: none.
Result<std::string> Pressure(kernel::Kernel&) {
  return std::string(
      "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
      "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
}

Result<std::string> Filesystems(kernel::Kernel&) {
  return std::string(
      "nodev\tsysfs\n"
      "nodev\ttmpfs\n"
      "nodev\tproc\n"
      "nodev\tcgroup2\n"
      "nodev\tdevtmpfs\n"
      "nodev\tsockfs\n"
      "nodev\tpipefs\n"
      "nodev\tdevpts\n"
      "nodev\toverlay\n"
      "nodev\tmqueue\n");
}

// The heading: there are none.
Result<std::string> Interrupts(kernel::Kernel& kernel) {
  std::string text = "           ";
  for (unsigned cpu = 0; cpu < kernel.cpu_count(); ++cpu) {
    absl::StrAppendFormat(&text, "CPU%-8d", cpu);
  }
  return text + "\n";
}

Result<std::string> Partitions(kernel::Kernel&) {
  return std::string("major minor  #blocks  name\n\n");
}

Result<std::string> Swaps(kernel::Kernel&) {
  return std::string("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
}

Result<std::string> Version(kernel::Kernel&) {
  return absl::StrCat(abi::kSystemName, " version ", abi::kLinuxRelease,
                      " (redoubt@redoubt) (gcc) ", abi::kLinuxVersion, "\n");
}

Result<std::string> Nothing(kernel::Kernel&) { return std::string(); }

}  // namespace redoubt::proc
