// SPDX-License-Identifier: Apache-2.0
//
// Signals as they cross the system-call boundary (signal(7), rt_sigaction(2)); amd64 layouts.
#ifndef ABI_LINUX_SIGNAL_H_
#define ABI_LINUX_SIGNAL_H_

#include <signal.h>

#include <cstddef>
#include <cstdint>

namespace redoubt::abi {

inline constexpr int kSignalCount = 64;
inline constexpr int kFirstRealtimeSignal = 32;  // As the kernel counts; libc hides two.

// A set of signals: bit n-1 stands for signal n.
class SignalSet {
 public:
  constexpr SignalSet() = default;
  constexpr explicit SignalSet(uint64_t bits) : bits_(bits) {}
  static constexpr SignalSet Of(int signal) { return SignalSet(uint64_t{1} << (signal - 1)); }
  template <typename... Signals>
  static constexpr SignalSet OfAll(Signals... signals) {
    return SignalSet((... | (uint64_t{1} << (signals - 1))));
  }
  constexpr bool Has(int signal) const { return (bits_ >> (signal - 1) & 1) != 0; }
  constexpr void Add(int signal) { bits_ |= uint64_t{1} << (signal - 1); }
  constexpr void Remove(int signal) { bits_ &= ~(uint64_t{1} << (signal - 1)); }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr uint64_t bits() const { return bits_; }
  constexpr SignalSet operator|(SignalSet other) const { return SignalSet(bits_ | other.bits_); }
  constexpr SignalSet operator&(SignalSet other) const { return SignalSet(bits_ & other.bits_); }
  constexpr SignalSet operator~() const { return SignalSet(~bits_); }
  friend constexpr bool operator==(SignalSet, SignalSet) = default;

 private:
  uint64_t bits_ = 0;
};
static_assert(sizeof(SignalSet) == 8);

// Signals that cannot be blocked, caught or ignored.
inline constexpr SignalSet kUnblockableSignals = SignalSet::OfAll(SIGKILL, SIGSTOP);
inline constexpr SignalSet kStopSignals = SignalSet::OfAll(SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU);

// struct kernel_sigaction.
struct SignalAction {
  uint64_t handler = 0;  // SIG_DFL 0, SIG_IGN 1, or an address.
  uint64_t flags = 0;    // SA_*.
  uint64_t restorer = 0;
  SignalSet mask;
};
static_assert(sizeof(SignalAction) == 32);
inline constexpr uint64_t kSignalDefault = 0;
inline constexpr uint64_t kSignalIgnore = 1;
inline constexpr uint64_t kSaRestorer = 0x04000000;

// siginfo_t: 128 bytes, a union behind the first three words.
struct SignalInfo {
  int32_t signal = 0;
  int32_t error = 0;
  int32_t code = 0;
  int32_t padding = 0;
  union {
    uint64_t words[14];
    struct {
      int32_t pid;
      uint32_t uid;
      uint64_t value;  // sigval.
    } sender;          // SI_USER, SI_TKILL, SI_QUEUE.
    struct {
      int32_t timer_id;
      int32_t overrun;
      uint64_t value;
      int32_t private_data;
      int32_t unused;
    } timer;  // SI_TIMER.
    struct {
      int32_t pid;
      uint32_t uid;
      int32_t status;
      int32_t unused;
      int64_t user_time;
      int64_t system_time;
    } child;  // SIGCHLD.
    struct {
      uint64_t address;
      int16_t address_lsb;
    } fault;
    struct {
      int64_t band;
      int32_t fd;
    } poll;  // SIGIO.
    struct {
      uint64_t address;       // Behind the call's instruction.
      int32_t number;
      uint32_t architecture;  // AUDIT_ARCH_*
    } call;                   // SIGSYS.
  } fields = {};
};
static_assert(sizeof(SignalInfo) == sizeof(siginfo_t));
static_assert(offsetof(SignalInfo, fields) == 16);

// stack_t.
struct SignalStack {
  uint64_t address = 0;
  int32_t flags = SS_DISABLE;
  int32_t padding = 0;
  uint64_t size = 0;
};
static_assert(sizeof(SignalStack) == sizeof(stack_t));
inline constexpr int32_t kSsAutodisarm = static_cast<int32_t>(1U << 31);
inline constexpr uint64_t kMinimumSignalStack = 2048;

// struct sigcontext (arch/x86/include/uapi/asm/sigcontext.h), 64-bit.
struct SignalContext {
  uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
  uint16_t cs, gs, fs, ss;
  uint64_t error_code, trap_number, old_mask, cr2;
  uint64_t fpstate;  // Address of the XSAVE image; 0 none.
  uint64_t reserved[8];
};
static_assert(sizeof(SignalContext) == 256);

// struct ucontext.
struct UserContext {
  uint64_t flags;
  uint64_t link;
  SignalStack stack;
  SignalContext context;
  SignalSet mask;
};
inline constexpr uint64_t kUcFpXstate = 1;
inline constexpr uint64_t kUcSigcontextSs = 2;
inline constexpr uint64_t kUcStrictRestoreSs = 4;

// struct rt_sigframe: what a handler finds at its stack pointer.
struct SignalFrame {
  uint64_t restorer;
  UserContext context;
  SignalInfo info;
};
static_assert(sizeof(UserContext) == 304);

}  // namespace redoubt::abi

#endif  // ABI_LINUX_SIGNAL_H_
