// SPDX-License-Identifier: Apache-2.0
#include "sentry/boot/crash_log.h"

#include <execinfo.h>
#include <signal.h>
#include <ucontext.h>

#include <cstdint>
#include <cstdio>

#include "base/log.h"

extern "C" const char __executable_start;

namespace redoubt::boot {

namespace {

constexpr int kMostFrames = 32;

void OnCrash(int signal, siginfo_t* info, void* context) {
  uint64_t base = reinterpret_cast<uint64_t>(&__executable_start);
  uint64_t rip =
      static_cast<uint64_t>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
  char text[900];
  int size = snprintf(text, sizeof(text), "crashed: signal %d, address %p, at %#lx; stack:", signal,
                      info->si_addr, rip - base);
  void* frames[kMostFrames];
  int count = backtrace(frames, kMostFrames);
  for (int i = 0; i < count && size < static_cast<int>(sizeof(text)) - 24; ++i) {
    size += snprintf(text + size, sizeof(text) - static_cast<size_t>(size), " %#lx",
                     reinterpret_cast<uint64_t>(frames[i]) - base);
  }
  Log(LogLevel::kFatal, __FILE__, __LINE__, text);
}

}  // namespace

void InstallCrashLog() {
  // The first backtrace(3) may allocate: let that be now.
  void* frame;
  backtrace(&frame, 1);
  struct sigaction action = {};
  action.sa_sigaction = OnCrash;
  action.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER;
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    sigaction(signal, &action, nullptr);
  }
}

}  // namespace redoubt::boot
