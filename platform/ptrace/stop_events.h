// SPDX-License-Identifier: Apache-2.0
//
// What a stop of a thread in guest code means to the sentry.
#ifndef PLATFORM_PTRACE_STOP_EVENTS_H_
#define PLATFORM_PTRACE_STOP_EVENTS_H_

#include <optional>

#include "platform/platform.h"
#include "platform/ptrace/tracee.h"

namespace redoubt::platform::ptrace {

// The event, or nothing for a stop that is not the guest's doing (the interrupt signal, a signal
// from the host). `registers` are the tracee's, and become those that the event promises.
std::optional<Event> DescribeStop(Tracee& tracee, const Stop& stop, Registers& registers);

Event DeathEvent();

}  // namespace redoubt::platform::ptrace

#endif  // PLATFORM_PTRACE_STOP_EVENTS_H_
