// SPDX-License-Identifier: Apache-2.0
#ifndef SENTRY_VFS_ATTRIBUTE_CHANGE_H_
#define SENTRY_VFS_ATTRIBUTE_CHANGE_H_

#include "sentry/vfs/attributes.h"

namespace redoubt::vfs {

// For file systems that keep attributes themselves: all of a change but the size, and the change
// time. The file's type stays.
void ApplyChange(const AttributeChange& change, Attributes& attributes);

}  // namespace redoubt::vfs

#endif  // SENTRY_VFS_ATTRIBUTE_CHANGE_H_
