// SPDX-License-Identifier: Apache-2.0
//
// What a read(2) from a signalfd gives.
#ifndef ABI_LINUX_SIGNALFD_H_
#define ABI_LINUX_SIGNALFD_H_

#include <sys/signalfd.h>

#include <cstddef>
#include <cstdint>

namespace redoubt::abi {

// struct signalfd_siginfo.
struct SignalfdInfo {
  uint32_t signal = 0;
  int32_t error = 0;
  int32_t code = 0;
  uint32_t pid = 0;
  uint32_t uid = 0;
  int32_t fd = 0;
  uint32_t timer_id = 0;
  uint32_t band = 0;
  uint32_t overrun = 0;
  uint32_t trap_number = 0;
  int32_t status = 0;
  int32_t int_value = 0;
  uint64_t pointer_value = 0;
  uint64_t user_time = 0;
  uint64_t system_time = 0;
  uint64_t address = 0;
  uint16_t address_lsb = 0;
  uint16_t padding = 0;
  int32_t syscall = 0;
  uint64_t call_address = 0;
  uint32_t architecture = 0;
  uint8_t padding2[28] = {};
};
static_assert(sizeof(SignalfdInfo) == sizeof(signalfd_siginfo));
static_assert(offsetof(SignalfdInfo, address) == offsetof(signalfd_siginfo, ssi_addr));
static_assert(offsetof(SignalfdInfo, architecture) == offsetof(signalfd_siginfo, ssi_arch));

}  // namespace redoubt::abi

#endif  // ABI_LINUX_SIGNALFD_H_
