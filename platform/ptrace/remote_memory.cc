// SPDX-License-Identifier: Apache-2.0
#include "platform/ptrace/remote_memory.h"

#include <sys/uio.h>

#include <algorithm>

#include "base/host/syscall.h"

namespace redoubt::platform::ptrace {
namespace {

constexpr uint64_t kPageSize = 4096;
constexpr size_t kMaxAtOnce = size_t{1} << 30;  // Below the host's MAX_RW_COUNT.

// `copy(address, offset, length)` transfers a piece and gives what the host made of it.
template <typename Copy>
Result<size_t> CopyAll(uint64_t address, size_t size, Copy copy) {
  size_t done = 0;
  bool by_page = false;
  while (done < size) {
    uint64_t from = address + done;
    size_t length = std::min(size - done, kMaxAtOnce);
    // The host promises partial counts only between iovec elements. So far it has always done
    // better; when a long piece fails as a whole, look at its first page alone.
    if (by_page) length = std::min<size_t>(length, kPageSize - from % kPageSize);
    Result<size_t> copied = copy(from, done, length);
    if (copied.ok() && *copied > 0) {
      done += *copied;
    } else if (copied.Is(ESRCH) && done == 0) {
      return Errno(ESRCH);
    } else if (by_page || length <= kPageSize - from % kPageSize) {
      break;
    } else {
      by_page = true;
    }
  }
  if (done == 0 && size > 0) return Errno(EFAULT);
  return done;
}

}  // namespace

Result<size_t> ReadMemory(int tid, uint64_t address, std::span<std::byte> buffer) {
  return CopyAll(address, buffer.size(), [&](uint64_t from, size_t offset, size_t length) {
    iovec local{.iov_base = buffer.data() + offset, .iov_len = length};
    iovec remote{.iov_base = reinterpret_cast<void*>(from), .iov_len = length};
    return host::Call([&] { return process_vm_readv(tid, &local, 1, &remote, 1, 0); });
  });
}

Result<size_t> WriteMemory(int tid, uint64_t address, std::span<const std::byte> buffer) {
  return CopyAll(address, buffer.size(), [&](uint64_t from, size_t offset, size_t length) {
    iovec local{.iov_base = const_cast<std::byte*>(buffer.data()) + offset, .iov_len = length};
    iovec remote{.iov_base = reinterpret_cast<void*>(from), .iov_len = length};
    return host::Call([&] { return process_vm_writev(tid, &local, 1, &remote, 1, 0); });
  });
}

}  // namespace redoubt::platform::ptrace
