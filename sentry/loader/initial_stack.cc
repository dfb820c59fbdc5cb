// SPDX-License-Identifier: Apache-2.0
#include "sentry/loader/initial_stack.h"

#include <elf.h>

#include <cstring>

namespace redoubt::loader {

namespace {

// Strings are laid down from the top; their final addresses are known as they are added.
class StringArea {
 public:
  explicit StringArea(uint64_t top) : next_(top) {}

  uint64_t Add(const void* data, size_t size) {
    next_ -= size;
    pieces_.emplace_back(next_, std::string(static_cast<const char*>(data), size));
    return next_;
  }
  uint64_t AddString(const std::string& text) { return Add(text.c_str(), text.size() + 1); }
  // One after the other in ascending order; gives their addresses.
  std::vector<uint64_t> AddStrings(const std::vector<std::string>& strings) {
    size_t total = 0;
    for (const std::string& text : strings) total += text.size() + 1;
    next_ -= total;
    uint64_t address = next_;
    std::vector<uint64_t> addresses;
    for (const std::string& text : strings) {
      addresses.push_back(address);
      pieces_.emplace_back(address, std::string(text.c_str(), text.size() + 1));
      address += text.size() + 1;
    }
    return addresses;
  }
  void AlignDown(uint64_t alignment) { next_ &= ~(alignment - 1); }
  uint64_t next() const { return next_; }
  void CopyTo(std::vector<std::byte>& bytes, uint64_t base) const {
    for (const auto& [address, data] : pieces_) {
      memcpy(bytes.data() + (address - base), data.data(), data.size());
    }
  }

 private:
  uint64_t next_;
  std::vector<std::pair<uint64_t, std::string>> pieces_;
};

}  // namespace

InitialStack BuildInitialStack(const StackRequest& request) {
  InitialStack stack;
  StringArea strings(request.top);
  uint64_t terminator = 0;
  strings.Add(&terminator, sizeof(terminator));
  uint64_t executable_name = strings.AddString(request.executable_name);
  stack.environment_end = strings.next();
  std::vector<uint64_t> environment = strings.AddStrings(*request.environment);
  stack.environment_start = stack.argument_end = strings.next();
  std::vector<uint64_t> arguments = strings.AddStrings(*request.arguments);
  stack.argument_start = strings.next();
  uint64_t platform = strings.AddString("x86_64");
  strings.AlignDown(16);
  uint64_t random = strings.Add(request.random.data(), sizeof(request.random));

  for (const auto& [type, value] : request.auxiliary_vector) {
    stack.auxiliary_vector.insert(stack.auxiliary_vector.end(), {type, value});
  }
  stack.auxiliary_vector.insert(
      stack.auxiliary_vector.end(),
      {AT_RANDOM, random, AT_EXECFN, executable_name, AT_PLATFORM, platform, AT_NULL, 0});

  std::vector<uint64_t> words{arguments.size()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  words.push_back(0);
  words.insert(words.end(), environment.begin(), environment.end());
  words.push_back(0);
  words.insert(words.end(), stack.auxiliary_vector.begin(), stack.auxiliary_vector.end());

  size_t word_bytes = words.size() * sizeof(uint64_t);
  stack.pointer = (strings.next() - word_bytes) & ~uint64_t{15};
  stack.bytes.resize(request.top - stack.pointer);
  memcpy(stack.bytes.data(), words.data(), word_bytes);
  strings.CopyTo(stack.bytes, stack.pointer);
  return stack;
}

}  // namespace redoubt::loader
