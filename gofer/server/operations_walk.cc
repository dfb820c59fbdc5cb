// SPDX-License-Identifier: Apache-2.0
//
// Attach, walk, attributes.
#include <limits.h>
#include <unistd.h>

#include "base/host/syscall.h"
#include "gofer/protocol/validate.h"
#include "gofer/server/operations.h"

namespace redoubt::gofer {
namespace {

Result<std::string> ReadLinkAt(int directory, const char* name) {
  std::string target(kMostLinkTargetBytes + 1, '\0');
  size_t size =
      TRY(host::Call([&] { return readlinkat(directory, name, target.data(), target.size()); }));
  if (size == 0 || size > kMostLinkTargetBytes) return Errno(ENAMETOOLONG);
  target.resize(size);
  return target;
}

}  // namespace

Result<void> Operations::Attach(const AttachRequest& request, Response* response) {
  auto root = roots_.find(request.attach_point());
  if (root == roots_.end()) return Errno(ENOENT);
  HostStat stat = TRY(StatFd(TRY(nodes_.Fd(root->second))));
  FileNode* node = response->add_nodes();
  node->set_handle(root->second->handle);
  FillAttributes(stat, node->mutable_attributes());
  return {};
}

Result<void> Operations::Walk(const WalkRequest& request, Response* response) {
  Node* directory = TRY(FindDirectory(request.directory()));
  for (int i = 0; i < request.names_size(); ++i) {
    bool is_last = i + 1 == request.names_size();
    Result<Node*> found = WalkOne(directory, request.names(i), is_last, response);
    if (!found.ok()) {
      // What was found before is worth something; the sentry asks again for the rest.
      if (i > 0) return {};
      return found.error();
    }
    directory = *found;
    if (!directory->IsDirectory()) return {};
  }
  return {};
}

// The last component is only looked at; one that is walked through is opened, so that what is
// below it is looked up in the very directory that was looked at.
Result<Node*> Operations::WalkOne(Node* directory, const std::string& name, bool is_last,
                                  Response* response) {
  int directory_fd = TRY(nodes_.Fd(directory));
  OwnedFd fd;
  HostStat stat;
  if (is_last) {
    stat = TRY(StatAt(directory_fd, name.c_str()));
  } else {
    fd = OwnedFd(TRY(OpenComponent(directory_fd, name.c_str())));
    stat = TRY(StatFd(fd.get()));
  }
  std::string target;
  if (TypeOf(stat) == S_IFLNK) {
    // Of the opened link itself where there is one: "" names it.
    target = TRY(fd.valid() ? ReadLinkAt(fd.get(), "") : ReadLinkAt(directory_fd, name.c_str()));
  }
  Node* node = TRY(nodes_.Add(directory, name, stat, std::move(fd)));
  FileNode* answer = response->add_nodes();
  answer->set_handle(node->handle);
  FillAttributes(stat, answer->mutable_attributes());
  if (!target.empty()) answer->set_link_target(std::move(target));
  return node;
}

Result<void> Operations::Check(const CheckRequest& request, Response* response) {
  uint64_t directory = request.directory();
  for (const CheckStep& step : request.steps()) {
    Result<void> held = CheckOne(directory, step, response->add_checked());
    if (!held.ok()) {
      response->mutable_checked()->RemoveLast();
      if (response->checked().empty()) return held;
      return {};
    }
    directory = step.child();
  }
  return {};
}

Result<void> Operations::CheckOne(uint64_t handle, const CheckStep& step, Attributes* attributes) {
  Node* directory = TRY(FindDirectory(handle));
  Result<HostStat> stat = StatAt(TRY(nodes_.Fd(directory)), step.name().c_str());
  if (step.child() == 0) {
    if (stat.Is(ENOENT)) return {};
    return Errno(ESTALE);
  }
  Node* child = TRY(nodes_.Find(step.child()));
  if (!stat.ok() || IdentityOf(*stat) != child->identity || TypeOf(*stat) != child->type)
    return Errno(ESTALE);
  FillAttributes(*stat, attributes);
  return {};
}

Result<void> Operations::GetAttributes(const GetAttributesRequest& request, Response* response) {
  Node* node = TRY(nodes_.Find(request.handle()));
  FillAttributes(TRY(StatFd(TRY(nodes_.Fd(node)))), response->mutable_attributes());
  return {};
}

}  // namespace redoubt::gofer
