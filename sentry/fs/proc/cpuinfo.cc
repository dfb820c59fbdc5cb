// SPDX-License-Identifier: Apache-2.0
//
// /proc/cpuinfo, from what the processor says of itself (arch/x86/kernel/cpu/proc.c).
#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sentry/fs/proc/cpu_features.h"
#include "sentry/fs/proc/system_cpu.h"
#include "sentry/time/clock.h"

namespace redoubt::proc {

namespace {

std::string Vendor() {
  CpuidResult leaf = Cpuid(0);
  char text[12];
  std::memcpy(text, &leaf.b, 4);
  std::memcpy(text + 4, &leaf.d, 4);
  std::memcpy(text + 8, &leaf.c, 4);
  return std::string(text, sizeof(text));
}

std::string ModelName() {
  std::string text;
  for (uint32_t leaf = 0x80000002; leaf <= 0x80000004; ++leaf) {
    CpuidResult part = Cpuid(leaf);
    text.append(reinterpret_cast<const char*>(&part), sizeof(part));
  }
  text.resize(std::min(text.size(), text.find('\0')));
  absl::StripAsciiWhitespace(&text);
  return text.empty() ? "unknown" : text;
}

struct Signature {
  uint32_t family, model, stepping;
};
Signature ReadSignature() {
  uint32_t a = Cpuid(1).a;
  Signature signature{.family = a >> 8 & 15, .model = a >> 4 & 15, .stepping = a & 15};
  bool extended = signature.family == 6 || signature.family == 15;
  if (extended) signature.model |= a >> 12 & 0xf0;
  if (signature.family == 15) signature.family += a >> 20 & 0xff;
  return signature;
}

// The time-stamp counter against the clock, since this was first asked, which is when /proc is
// mounted: 0 at that time.
double MeasuredMegahertz() {
  struct Mark {
    uint64_t counter;
    int64_t time_ns;
  };
  auto now = [] { return Mark{__builtin_ia32_rdtsc(), time::Now(time::Clock::kMonotonic)}; };
  static const Mark start = now();
  Mark end = now();
  constexpr int64_t kShortestNs = 1'000'000;  // Below, the two readings' distance would show.
  if (end.time_ns - start.time_ns < kShortestNs) return 0;
  return static_cast<double>(end.counter - start.counter) * 1e3 /
         static_cast<double>(end.time_ns - start.time_ns);
}

std::string CommonPart() {
  Signature signature = ReadSignature();
  std::string text;
  absl::StrAppend(&text, "vendor_id\t: ", Vendor(), "\ncpu family\t: ", signature.family,
                  "\nmodel\t\t: ", signature.model, "\nmodel name\t: ", ModelName(),
                  "\nstepping\t: ", signature.stepping, "\n");
  absl::StrAppendFormat(&text, "cpu MHz\t\t: %.3f\n", MeasuredMegahertz());
  absl::StrAppendFormat(&text, "cache size\t: %d KB\n", Cpuid(0x80000006).c >> 16);
  return text;
}

}  // namespace

void StartMeasuringFrequency() { (void)MeasuredMegahertz(); }

Result<std::string> Cpuinfo(kernel::Kernel& kernel) {
  std::string common = CommonPart();
  std::string flags = CpuFlags();
  uint32_t line = (Cpuid(1).b >> 8 & 0xff) * 8;
  uint32_t sizes = Cpuid(0x80000008).a;
  unsigned cpus = kernel.cpu_count();
  std::string text;
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    absl::StrAppend(&text, "processor\t: ", cpu, "\n", common);
    absl::StrAppend(&text, "physical id\t: 0\nsiblings\t: ", cpus, "\ncore id\t\t: ", cpu,
                    "\ncpu cores\t: ", cpus, "\napicid\t\t: ", cpu, "\ninitial apicid\t: ", cpu,
                    "\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: ", Cpuid(0).a,
                    "\nwp\t\t: yes\nflags\t\t: ", flags, "\nbugs\t\t:\n");
    absl::StrAppendFormat(&text, "bogomips\t: %.2f\n", MeasuredMegahertz() * 2);
    absl::StrAppendFormat(&text,
                          "clflush size\t: %d\ncache_alignment\t: %d\n"
                          "address sizes\t: %d bits physical, %d bits virtual\n"
                          "power management:\n\n",
                          line, line, sizes & 0xff, sizes >> 8 & 0xff);
  }
  return text;
}

}  // namespace redoubt::proc
