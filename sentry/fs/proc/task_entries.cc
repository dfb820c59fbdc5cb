// SPDX-License-Identifier: Apache-2.0
#include "sentry/fs/proc/task_entries.h"

#include <charconv>
#include <array>
#include <utility>

#include "sentry/fs/proc/process_status.h"

namespace redoubt::proc {

namespace {

const auto kEntries = std::to_array<TaskEntry>({
    TextEntry("comm", 0644, Access::kAnyone, &Comm),
});

}  // namespace

std::optional<int> ParseNumber(std::string_view name) {
  if (name.empty() || (name.size() > 1 && name.front() == '0')) return std::nullopt;
  if (name.front() < '0' || name.front() > '9') return std::nullopt;
  int value = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return value;
}

RefPtr<TaskInode> NewTaskDirectory(RefPtr<vfs::Superblock> superblock, const TaskId& id) {
  return MakeRef<TaskDirectory>(std::move(superblock), 0555, NumberSpace::Base(id), id, kEntries);
}

}  // namespace redoubt::proc
