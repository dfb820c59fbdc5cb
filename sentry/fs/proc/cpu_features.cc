// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/cpu_features.h"

#include <cpuid.h>

namespace redoubt::proc {

namespace {

struct FeatureWord {
  uint32_t leaf, subleaf;
  uint32_t CpuidResult::*word;
  const char* names[32];  // By bit; null: not shown.
};

constexpr FeatureWord kWords[] = {
    {1, 0, &CpuidResult::d, {"fpu",  "vme",   "de",    "pse",     "tsc",   "msr", "pae",  "mce",
                             "cx8",  "apic",  nullptr, "sep",     "mtrr",  "pge", "mca",  "cmov",
                             "pat",  "pse36", "pn",    "clflush", nullptr, "dts", "acpi", "mmx",
                             "fxsr", "sse",   "sse2",  "ss",      "ht",    "tm",  "ia64", "pbe"}},
    {0x80000001,
     0,
     &CpuidResult::d,
     {nullptr, nullptr,    nullptr,   nullptr,   nullptr, nullptr, nullptr,    nullptr,
      nullptr, nullptr,    nullptr,   "syscall", nullptr, nullptr, nullptr,    nullptr,
      nullptr, nullptr,    nullptr,   "mp",      "nx",    nullptr, "mmxext",   nullptr,
      nullptr, "fxsr_opt", "pdpe1gb", "rdtscp",  nullptr, "lm",    "3dnowext", "3dnow"}},
    {1, 0, &CpuidResult::c, {"pni",    "pclmulqdq", "dtes64", "monitor", "ds_cpl",
                             "vmx",    "smx",       "est",    "tm2",     "ssse3",
                             "cid",    "sdbg",      "fma",    "cx16",    "xtpr",
                             "pdcm",   nullptr,     "pcid",   "dca",     "sse4_1",
                             "sse4_2", "x2apic",    "movbe",  "popcnt",  "tsc_deadline_timer",
                             "aes",    "xsave",     nullptr,  "avx",     "f16c",
                             "rdrand", "hypervisor"}},
    {0x80000001, 0, &CpuidResult::c, {"lahf_lm",       "cmp_legacy", "svm",     "extapic",
                                      "cr8_legacy",    "abm",        "sse4a",   "misalignsse",
                                      "3dnowprefetch", "osvw",       "ibs",     "xop",
                                      "skinit",        "wdt",        nullptr,   "lwp",
                                      "fma4",          "tce",        nullptr,   "nodeid_msr",
                                      nullptr,         "tbm",        "topoext", "perfctr_core",
                                      "perfctr_nb",    nullptr,      "bpext",   "ptsc",
                                      "perfctr_llc",   "mwaitx",     nullptr,   nullptr}},
    {7, 0, &CpuidResult::b, {"fsgsbase", "tsc_adjust", "sgx",      "bmi1",       "hle",
                             "avx2",     nullptr,      "smep",     "bmi2",       "erms",
                             "invpcid",  "rtm",        "cqm",      nullptr,      "mpx",
                             "rdt_a",    "avx512f",    "avx512dq", "rdseed",     "adx",
                             "smap",     "avx512ifma", nullptr,    "clflushopt", "clwb",
                             "intel_pt", "avx512pf",   "avx512er", "avx512cd",   "sha_ni",
                             "avx512bw", "avx512vl"}},
    {0xd, 1, &CpuidResult::a, {"xsaveopt", "xsavec", "xgetbv1", "xsaves", "xfd",   nullptr, nullptr,
                               nullptr,    nullptr,  nullptr,   nullptr,  nullptr, nullptr, nullptr,
                               nullptr,    nullptr,  nullptr,   nullptr,  nullptr, nullptr, nullptr,
                               nullptr,    nullptr,  nullptr,   nullptr,  nullptr, nullptr, nullptr,
                               nullptr,    nullptr,  nullptr,   nullptr}},
    {7, 1, &CpuidResult::a, {nullptr, nullptr,     nullptr, nullptr,    "avx_vnni", "avx512_bf16",
                             nullptr, "cmpccxadd", nullptr, nullptr,    "fzrm",     "fsrs",
                             "fsrc",  nullptr,     nullptr, nullptr,    nullptr,    nullptr,
                             nullptr, nullptr,     nullptr, "amx_fp16", nullptr,    "avx_ifma",
                             nullptr, nullptr,     "lam",   nullptr,    nullptr,    nullptr,
                             nullptr, nullptr}},
    {0x80000008,
     0,
     &CpuidResult::b,
     {"clzero", "irperf",   "xsaveerptr", nullptr, "rdpru", nullptr, nullptr, nullptr,
      nullptr,  "wbnoinvd", nullptr,      nullptr, nullptr, nullptr, nullptr, nullptr,
      nullptr,  nullptr,    nullptr,      nullptr, nullptr, nullptr, nullptr, nullptr,
      nullptr,  nullptr,    nullptr,      "cppc",  nullptr, nullptr, nullptr, nullptr}},
    {7,
     0,
     &CpuidResult::c,
     {nullptr,      "avx512vbmi",   "umip",          "pku",       nullptr,
      "waitpkg",    "avx512_vbmi2", nullptr,         "gfni",      "vaes",
      "vpclmulqdq", "avx512_vnni",  "avx512_bitalg", "tme",       "avx512_vpopcntdq",
      nullptr,      "la57",         nullptr,         nullptr,     nullptr,
      nullptr,      nullptr,        "rdpid",         nullptr,     "bus_lock_detect",
      "cldemote",   nullptr,        "movdiri",       "movdir64b", "enqcmd",
      nullptr,      nullptr}},
    {7, 0, &CpuidResult::d, {nullptr,         nullptr,     "avx512_4vnniw",
                             "avx512_4fmaps", "fsrm",      nullptr,
                             nullptr,         nullptr,     "avx512_vp2intersect",
                             nullptr,         "md_clear",  nullptr,
                             nullptr,         nullptr,     "serialize",
                             nullptr,         "tsxldtrk",  nullptr,
                             "pconfig",       "arch_lbr",  "ibt",
                             nullptr,         "amx_bf16",  "avx512_fp16",
                             "amx_tile",      "amx_int8",  nullptr,
                             nullptr,         "flush_l1d", nullptr,
                             nullptr,         nullptr}},
};

}  // namespace

CpuidResult Cpuid(uint32_t leaf, uint32_t subleaf) {
  CpuidResult result;
  // Gives 0, and leaves the words, for a leaf that the processor does not have.
  if (__get_cpuid_count(leaf, subleaf, &result.a, &result.b, &result.c, &result.d) == 0) return {};
  return result;
}

std::string CpuFlags() {
  std::string flags;
  for (const FeatureWord& word : kWords) {
    uint32_t bits = Cpuid(word.leaf, word.subleaf).*word.word;
    for (int bit = 0; bit < 32; ++bit) {
      if ((bits >> bit & 1) == 0 || word.names[bit] == nullptr) continue;
      if (!flags.empty()) flags += ' ';
      flags += word.names[bit];
    }
  }
  return flags;
}

}  // namespace redoubt::proc
