// SPDX-License-Identifier: Apache-2.0
//
// What a process gives up for good before it runs, or becomes, something that is not trusted.
#ifndef BASE_HOST_PRIVILEGES_H_
#define BASE_HOST_PRIVILEGES_H_

namespace redoubt::host {

// No exec brings anything back from here on: no_new_privs, an empty capability bounding set (as far
// as the process may change it), no ambient capabilities. What is held now stays held. Only system
// calls: may be used between vfork and exec. False: no_new_privs was refused.
bool RenounceFuturePrivileges();

}  // namespace redoubt::host

#endif  // BASE_HOST_PRIVILEGES_H_
