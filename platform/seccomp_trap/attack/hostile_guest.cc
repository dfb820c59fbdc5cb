// SPDX-License-Identifier: Apache-2.0
#include "platform/seccomp_trap/attack/hostile_guest.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "platform/seccomp_trap/layout.h"

namespace redoubt::platform::seccomp_trap {
namespace {

// Calls for ever.
GUEST_CODE(hostile_bystander, R"(
1:mov $1002, %eax
  syscall
  jmp 1b
)")

}  // namespace

std::vector<uint64_t> ShimSyscalls(int pid) {
  std::vector<uint8_t> text(2 * kPageSize);
  constexpr uint64_t kText = 0x20000;
  iovec local{text.data(), text.size()}, remote{reinterpret_cast<void*>(kText), text.size()};
  EXPECT_EQ(process_vm_readv(pid, &local, 1, &remote, 1, 0), static_cast<ssize_t>(text.size()));
  std::vector<uint64_t> found;
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == 0x0f && (text[i + 1] == 0x05 || text[i + 1] == 0x34)) found.push_back(kText + i);
  }
  return found;
}

void AddCode(Context& context, uint64_t offset, std::span<const char> code) {
  using conformance::kCode, conformance::kPage;
  auto protect = [&](uint64_t protection) {
    ASSERT_TRUE(conformance::Call(context, SYS_mprotect, kCode, kPage, protection).ok());
  };
  protect(PROT_READ | PROT_WRITE);
  ASSERT_TRUE(context.address_space()->CopyOut(kCode + offset, std::as_bytes(code)).ok());
  protect(PROT_READ | PROT_EXEC);
}

Bystander::Bystander()
    : guest_(std::make_unique<conformance::GuestThread>(
          conformance::ThePlatform(), conformance::NewGuest(hostile_bystander()))) {
  EXPECT_EQ(guest_->Next().syscall_number, 1002u);
}

void Bystander::ExpectWell() { EXPECT_EQ(guest_->Return(7).syscall_number, 1002u); }

}  // namespace redoubt::platform::seccomp_trap
