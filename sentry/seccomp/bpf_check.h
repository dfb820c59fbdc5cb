// SPDX-License-Identifier: Apache-2.0
//
// The rules that a classic BPF program must keep before it may run; see bpf_program.h.
#ifndef SENTRY_SECCOMP_BPF_CHECK_H_
#define SENTRY_SECCOMP_BPF_CHECK_H_

#include <linux/filter.h>

#include <span>

namespace redoubt::seccomp {

// bpf_check_classic() and seccomp_check_filter(): known instructions, forward jumps within the
// program, a return at its end, scratch words written before they are read.
bool IsValidProgram(std::span<const sock_filter> program);

}  // namespace redoubt::seccomp

#endif  // SENTRY_SECCOMP_BPF_CHECK_H_
