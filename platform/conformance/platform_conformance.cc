// SPDX-License-Identifier: Apache-2.0
#include "platform/conformance/platform_conformance.h"

#include <dirent.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/check.h"

namespace redoubt::platform::conformance {
namespace {

Platform* g_platform = nullptr;

// Runs `visit` for each entry of a directory whose name is a number.
template <typename F>
void ForEachNumber(const char* path, F visit) {
  DIR* dir = opendir(path);
  CHECK(dir != nullptr);
  while (dirent* entry = readdir(dir)) {
    char* end;
    long number = std::strtol(entry->d_name, &end, 10);
    if (*end == '\0' && end != entry->d_name) visit(static_cast<int>(number));
  }
  closedir(dir);
}

// The parent of process `pid`, or -1.
int ParentOf(int pid) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/stat", pid);
  FILE* file = std::fopen(path, "re");
  if (file == nullptr) return -1;
  int parent = -1;
  if (std::fscanf(file, "%*d (%*[^)]) %*c %d", &parent) != 1) parent = -1;
  std::fclose(file);
  return parent;
}

class NothingIsLeft : public testing::Environment {
 public:
  explicit NothingIsLeft(const PlatformType& type)
      : children_(CountChildren()), descriptors_(CountDescriptors()) {
    auto platform = type.create({});
    if (!platform.ok()) {
      std::fprintf(stderr, "%s\n", platform.status().ToString().c_str());
      std::exit(1);
    }
    platform_ = *std::move(platform);
    g_platform = platform_.get();
  }

  void TearDown() override {
    platform_.reset();
    EXPECT_TRUE(Eventually([&] { return CountChildren() == children_; }))
        << CountChildren() << " children, at the start " << children_;
    EXPECT_TRUE(Eventually([&] { return CountDescriptors() == descriptors_; }))
        << CountDescriptors() << " descriptors, at the start " << descriptors_;
  }

 private:
  int children_;
  int descriptors_;
  std::unique_ptr<Platform> platform_;
};

}  // namespace

int Main(int argc, char** argv, const PlatformType& type) {
  testing::InitGoogleTest(&argc, argv);
  if (absl::Status supported = type.supported(); !supported.ok()) {
    std::fprintf(stderr, "%s\n", supported.ToString().c_str());
    return 1;
  }
  testing::AddGlobalTestEnvironment(new NothingIsLeft(type));
  return RUN_ALL_TESTS();
}

Platform& ThePlatform() { return *g_platform; }

SyscallResult Call(Context& context, long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                   uint64_t e, uint64_t f) {
  return context.HostCall({.number = number, .arguments = {a, b, c, d, e, f}});
}

SyscallResult MapAnonymous(Context& context, uint64_t address, uint64_t length, int protection) {
  return Call(context, SYS_mmap, address, length, static_cast<uint64_t>(protection),
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, ~uint64_t{0}, 0);
}

void Load(Context& context, std::span<const char> code) {
  // Of a file, as programs are: a platform may treat generated code differently.
  int file = memfd_create("code", MFD_CLOEXEC);
  CHECK(file >= 0 && write(file, code.data(), code.size()) == static_cast<ssize_t>(code.size()));
  CHECK(ftruncate(file, kPage) == 0);
  EXPECT_EQ(Outcome(context.MapFile(kCode, kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED,
                                    file, 0)),
            int64_t{kCode});
  close(file);
  EXPECT_EQ(Outcome(MapAnonymous(context, kData, kDataSize, PROT_READ | PROT_WRITE)),
            int64_t{kData});
  EXPECT_EQ(Outcome(MapAnonymous(context, kStack, kStackSize, PROT_READ | PROT_WRITE)),
            int64_t{kStack});
  context.registers().rip = kCode;
  context.registers().rbx = kData;
  context.registers().rsp = kStack + kStackSize;
}

std::unique_ptr<Context> NewGuest(std::span<const char> code) {
  auto space = ThePlatform().NewAddressSpace();
  CHECK(space.ok());
  auto context = ThePlatform().NewContext(*space);
  CHECK(context.ok());
  Load(**context, code);
  return std::move(*context);
}

int CountChildren() {
  int count = 0;
  ForEachNumber("/proc", [&](int pid) { count += ParentOf(pid) == getpid(); });
  return count;
}

int CountDescriptors() {
  int count = 0;
  ForEachNumber("/proc/self/fd", [&](int) { ++count; });
  return count;
}

bool Eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

}  // namespace redoubt::platform::conformance
