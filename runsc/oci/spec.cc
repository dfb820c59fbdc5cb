// SPDX-License-Identifier: Apache-2.0
#include "runsc/oci/spec.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "runsc/oci/json_reader.h"
#include "runsc/oci/spec_parts.h"

namespace redoubt::oci {

namespace {

constexpr size_t kMostBytes = size_t{16} << 20;

absl::StatusOr<nlohmann::json> ParseJson(std::string_view text) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return absl::InvalidArgumentError("is not valid JSON");
  if (!json.is_object()) return absl::InvalidArgumentError("is not a JSON object");
  return json;
}

void ReadVersion(const JsonReader& json, Spec* spec) {
  json.Read("ociVersion", &spec->oci_version);
  if (spec->oci_version.empty()) return json.Fail("ociVersion", "is missing");
  if (!spec->oci_version.starts_with("1.")) {
    json.Fail("ociVersion", absl::StrCat("want 1.x, is \"", spec->oci_version, "\""));
  }
}

void ReadRoot(const JsonReader& json, const std::string& bundle, Spec* spec) {
  if (!json.Has("root")) return json.Fail("root", "is missing");
  JsonReader root = json.At("root");
  root.Read("path", &spec->root_path);
  root.Read("readonly", &spec->root_readonly);
  if (spec->root_path.empty()) return root.Fail("path", "is missing");
  if (spec->root_path[0] != '/') spec->root_path = absl::StrCat(bundle, "/", spec->root_path);
}

void ReadMounts(const JsonReader& json, Spec* spec) {
  json.ForEachObject("mounts", [&](const JsonReader& entry) {
    Mount mount;
    entry.Read("destination", &mount.destination);
    entry.Read("type", &mount.type);
    entry.Read("source", &mount.source);
    entry.Read("options", &mount.options);
    if (mount.destination.empty()) return entry.Fail("destination", "is missing");
    // Older engines leave the slash out.
    if (mount.destination[0] != '/') mount.destination = absl::StrCat("/", mount.destination);
    for (const char* key : {"uidMappings", "gidMappings"}) {
      if (entry.Has(key)) return entry.Fail(key, "id-mapped mounts are not supported");
    }
    spec->mounts.push_back(std::move(mount));
  });
}

}  // namespace

void WantAbsolute(const JsonReader& json, const char* key, const std::string& path) {
  if (!path.empty() && path[0] == '/') return;
  json.Fail(key, absl::StrCat("must be an absolute path, is \"", path, "\""));
}

const Namespace* Spec::FindNamespace(std::string_view type) const {
  for (const Namespace& entry : linux_.namespaces) {
    if (entry.type == type) return &entry;
  }
  return nullptr;
}

absl::StatusOr<Spec> ParseSpec(std::string_view text, const std::string& bundle) {
  absl::StatusOr<nlohmann::json> json = ParseJson(text);
  if (!json.ok()) return json.status();
  absl::Status status;
  Spec spec;
  JsonReader root(*json, "", &status);
  ReadVersion(root, &spec);
  ReadRoot(root, bundle, &spec);
  root.Read("hostname", &spec.hostname);
  root.Read("domainname", &spec.domainname);
  ReadMounts(root, &spec);
  if (!root.Has("process")) root.Fail("process", "is missing");
  ReadProcess(root.At("process"), &spec.process);
  ReadHooks(root.At("hooks"), &spec.hooks);
  root.ReadMap("annotations", [&](const std::string& name, const std::string& value) {
    spec.annotations[name] = value;
  });
  static const nlohmann::json kNone;
  auto section = json->find("linux");
  ReadLinux(root.At("linux"), section == json->end() ? kNone : *section, &spec.linux_);
  if (root.ok() && section != json->end() && section->contains("resources")) {
    absl::StatusOr<LinuxResources> resources = ParseResources((*section)["resources"]);
    if (!resources.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("linux.", std::string(resources.status().message())));
    }
    spec.linux_.resources = *std::move(resources);
  }
  if (!status.ok()) return status;
  return spec;
}

absl::StatusOr<Process> ParseProcess(std::string_view text) {
  absl::StatusOr<nlohmann::json> json = ParseJson(text);
  if (!json.ok()) return json.status();
  absl::Status status;
  Process process;
  ReadProcess(JsonReader(*json, "", &status), &process);
  if (!status.ok()) return status;
  return process;
}

absl::StatusOr<std::string> ReadTextFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": ", strerror(errno)));
  std::ostringstream text;
  text << file.rdbuf();
  std::string content = std::move(text).str();
  if (content.size() > kMostBytes) return absl::InvalidArgumentError(path + ": is too large");
  return content;
}

absl::StatusOr<Spec> LoadSpec(const std::string& directory, const std::string& bundle) {
  std::string path = directory + "/config.json";
  absl::StatusOr<std::string> text = ReadTextFile(path);
  if (!text.ok()) {
    return absl::NotFoundError(absl::StrCat("JSON specification file config.json not found: ",
                                            std::string(text.status().message())));
  }
  absl::StatusOr<Spec> spec = ParseSpec(*text, bundle);
  if (!spec.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("config.json: ", std::string(spec.status().message())));
  }
  return spec;
}

}  // namespace redoubt::oci
