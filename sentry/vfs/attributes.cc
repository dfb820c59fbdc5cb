// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/attributes.h"

#include <time.h>

namespace redoubt::vfs {

FileTime Now() {
  // The coarse clock, as Linux uses for files: two reads within a tick may give the same time.
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return FileTime{.seconds = now.tv_sec, .nanoseconds = static_cast<uint32_t>(now.tv_nsec)};
}

}  // namespace redoubt::vfs
