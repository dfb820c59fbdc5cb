// SPDX-License-Identifier: Apache-2.0
//
// /sys/class/net/lo and its device. Other interfaces have no directory: this tree never changes.
#ifndef SENTRY_FS_SYS_NET_DEVICES_H_
#define SENTRY_FS_SYS_NET_DEVICES_H_

#include "sentry/fs/text_tree/text_tree.h"

namespace redoubt::sys {

void AddNetworkDevices(fs::TextTree& tree);

}  // namespace redoubt::sys

#endif  // SENTRY_FS_SYS_NET_DEVICES_H_
