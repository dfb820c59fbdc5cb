// SPDX-License-Identifier: Apache-2.0
#include "sentry/vfs/attribute_change.h"

#include <sys/stat.h>

namespace redoubt::vfs {

void ApplyChange(const AttributeChange& change, Attributes& attributes) {
  if (change.mode) attributes.mode = (attributes.mode & S_IFMT) | (*change.mode & 07777);
  if (change.uid) attributes.uid = *change.uid;
  if (change.gid) attributes.gid = *change.gid;
  if (change.access_time) attributes.access_time = *change.access_time;
  if (change.modify_time) attributes.modify_time = *change.modify_time;
  attributes.change_time = Now();
}

}  // namespace redoubt::vfs
