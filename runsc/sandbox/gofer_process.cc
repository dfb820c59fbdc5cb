// SPDX-License-Identifier: Apache-2.0
#include "runsc/sandbox/gofer_process.h"

#include <sched.h>
#include <unistd.h>

#include <utility>

#include "base/log.h"
#include "gofer/server/gofer.h"
#include "gofer/server/own_descriptors.h"
#include "runsc/sandbox/gofer_root.h"
#include "runsc/sandbox/process_title.h"

namespace redoubt::runsc {

namespace {

int RunGoferProcess(const SandboxSpec& spec, OwnedFd socket) {
  SetLogName("gofer");
  SetProcessTitle("gofer (runsc)");
  gofer::GoferConfig config;
  config.socket = std::move(socket);
  Result<OwnedFd> own = gofer::OpenOwnDescriptors();
  if (!own.ok()) {
    LOG(Error, "opening /proc/self/fd: errno %d; is /proc mounted?", own.error().value());
    return 1;
  }
  config.own_descriptors = *std::move(own);
  const std::vector<GoferSource>& sources = spec.sources;
  absl::StatusOr<std::vector<OwnedFd>> roots = EnterGoferRoot(sources);
  if (!roots.ok()) {
    LOG(Error, "%s", std::string(roots.status().message()).c_str());
    return 1;
  }
  for (size_t i = 0; i < roots->size(); ++i) {
    config.attach_points.push_back({.id = static_cast<uint32_t>(i),
                                    .root = std::move((*roots)[i]),
                                    .read_only = sources[i].read_only});
  }
  return gofer::RunGofer(std::move(config));
}

}  // namespace

absl::StatusOr<Child> StartGofer(const SandboxSpec& spec, OwnedFd socket) {
  uint64_t flags = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS;
  // Root keeps its own user namespace: only there may it serve the files of every owner.
  if (geteuid() != 0) flags |= CLONE_NEWUSER;
  return StartInNamespaces(flags, IdMaps::ForGofer(),
                           [&] { return RunGoferProcess(spec, std::move(socket)); });
}

}  // namespace redoubt::runsc
