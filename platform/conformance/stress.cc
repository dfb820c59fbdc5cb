// SPDX-License-Identifier: Apache-2.0
//
// Many guest threads at once: what goes wrong only in company.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "platform/conformance/platform_conformance.h"

namespace redoubt::platform::conformance {
namespace {

using Kind = Event::Kind;

GUEST_CODE(call, R"(
1:mov $1001, %eax
  syscall
  jmp 1b
)")

// Whether the guest's next event but interruptions is a system call.
bool AtSyscall(GuestThread& guest) {
  while (true) {
    Event event = guest.Next();
    if (event.kind == Kind::kSyscall) return true;
    if (event.kind != Kind::kInterrupted) return false;
    guest.Resume();
  }
}

std::unique_ptr<GuestThread> Clone(GuestThread& parent, bool share_memory) {
  std::unique_ptr<Context> clone;
  parent.Do([&](Context& c) {
    auto made = c.Clone(share_memory);
    ASSERT_TRUE(made.ok()) << made.error().value();
    clone = std::move(*made);
  });
  if (clone == nullptr) return nullptr;
  return std::make_unique<GuestThread>(ThePlatform(), std::move(clone));
}

// Maps a file of its own at `address` and checks that it is that file.
void MapOwnFile(Context& context, uint64_t address, uint64_t mark) {
  int fd = memfd_create("file", MFD_CLOEXEC);
  ASSERT_EQ(pwrite(fd, &mark, sizeof(mark), 0), 8);
  auto mapped = context.MapFile(address, kPage, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
  close(fd);
  ASSERT_EQ(Outcome(mapped), static_cast<int64_t>(address));
  EXPECT_EQ(Peek<uint64_t>(*context.address_space(), address), mark);
}

TEST(Stress, FiveHundredThreadsInOneStub) {
  GuestThread first(ThePlatform(), NewGuest(call()));
  ASSERT_TRUE(AtSyscall(first));
  std::vector<std::unique_ptr<GuestThread>> threads;
  for (int i = 0; i < 500; ++i) {
    threads.push_back(Clone(first, true));
    ASSERT_NE(threads.back(), nullptr);
  }
  for (auto& thread : threads) ASSERT_TRUE(AtSyscall(*thread));
  for (auto& thread : threads) thread->Exit();
  EXPECT_EQ(first.Return(0).kind, Kind::kSyscall);
}

// The threads of one stub map files while others fork: each must find its own file, and no child
// may be left with one.
TEST(Stress, ThreadsMapFilesWhileOthersFork) {
  GuestThread first(ThePlatform(), NewGuest(call()));
  ASSERT_TRUE(AtSyscall(first));
  std::vector<std::unique_ptr<GuestThread>> guests;
  for (int i = 0; i < 4; ++i) {
    guests.push_back(Clone(first, true));
    ASSERT_TRUE(AtSyscall(*guests.back()));
  }
  std::vector<std::thread> drivers;
  for (uint64_t n = 0; n < guests.size(); ++n) {
    drivers.emplace_back([&, n] {
      for (uint64_t i = 0; i < 30; ++i) {
        uint64_t address = 0x50000000 + n * 0x1000000;
        guests[n]->Do([&](Context& c) { MapOwnFile(c, address, n * 1000 + i); });
        auto child = Clone(*guests[n], false);
        if (child == nullptr) return;
        EXPECT_TRUE(AtSyscall(*child));
        child->Do([&](Context& c) { MapOwnFile(c, address, n * 1000 + 500 + i); });
        child->Exit();
      }
    });
  }
  for (auto& driver : drivers) driver.join();
}

// fork, exec and exit from several processes at once, with interrupts falling anywhere.
TEST(Stress, ProcessesForkAndExecAtOnceUnderInterrupts) {
  constexpr int kProcesses = 4;
  std::vector<std::unique_ptr<GuestThread>> guests;
  for (int i = 0; i < kProcesses; ++i) {
    guests.push_back(std::make_unique<GuestThread>(ThePlatform(), NewGuest(call())));
    ASSERT_TRUE(AtSyscall(*guests.back()));
  }
  std::atomic<bool> stop = false;
  std::thread interrupter([&] {
    while (!stop) {
      for (auto& guest : guests) guest->Interrupt();
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  });
  std::vector<std::thread> drivers;
  for (auto& guest : guests) {
    drivers.emplace_back([&guest] {
      for (int i = 0; i < 30; ++i) {
        auto child = Clone(*guest, i % 4 == 3);
        if (child == nullptr) return;
        ASSERT_TRUE(AtSyscall(*child));
        child->Do([](Context& c) {
          auto space = ThePlatform().NewAddressSpace();
          ASSERT_TRUE(space.ok());
          ASSERT_TRUE(c.EnterAddressSpace(*space).ok());
          Load(c, call());
        });
        child->Resume();
        ASSERT_TRUE(AtSyscall(*child));
        child->Exit();
        guest->Do([](Context& c) { c.registers().rax = 0; });
        guest->Resume();
        ASSERT_TRUE(AtSyscall(*guest));
      }
    });
  }
  for (auto& driver : drivers) driver.join();
  stop = true;
  interrupter.join();
}

// Stubs are killed while their threads do everything else; every thread must hear of it.
TEST(Stress, StubsDieAtAnyMoment) {
  for (int delay_us = 0; delay_us < 4000; delay_us += 100) {
    auto context = NewGuest(call());
    RefPtr<AddressSpace> space = context->address_space();
    GuestThread first(ThePlatform(), std::move(context));
    std::thread killer([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(delay_us));
      kill(space->host_pid(), SIGKILL);
    });
    while (first.Next().kind == Kind::kSyscall) {
      std::unique_ptr<Context> thread, process;
      first.Do([&](Context& c) {
        if (auto made = c.Clone(true); made.ok()) thread = std::move(*made);
        if (auto made = c.Clone(false); made.ok()) process = std::move(*made);
      });
      std::unique_ptr<GuestThread> second;
      if (thread != nullptr) {
        second = std::make_unique<GuestThread>(ThePlatform(), std::move(thread));
        Event event = second->Next();
        EXPECT_TRUE(event.kind == Kind::kSyscall || event.kind == Kind::kDead);
      }
      if (process != nullptr) {
        GuestThread child(ThePlatform(), std::move(process));
        EXPECT_EQ(child.Next().kind, Kind::kSyscall);
        child.Exit();
      }
      first.Resume();
    }
    killer.join();
  }
}

}  // namespace
}  // namespace redoubt::platform::conformance
