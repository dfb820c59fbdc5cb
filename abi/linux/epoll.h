// SPDX-License-Identifier: Apache-2.0
//
// epoll_ctl(2) and epoll_wait(2); packed on amd64.
#ifndef ABI_LINUX_EPOLL_H_
#define ABI_LINUX_EPOLL_H_

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>

namespace redoubt::abi {

// struct epoll_event.
struct [[gnu::packed]] EpollEvent {
  uint32_t events = 0;
  uint64_t data = 0;
};
static_assert(sizeof(EpollEvent) == sizeof(epoll_event));
static_assert(offsetof(EpollEvent, data) == offsetof(epoll_event, data));

}  // namespace redoubt::abi

#endif  // ABI_LINUX_EPOLL_H_
