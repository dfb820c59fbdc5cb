// SPDX-License-Identifier: Apache-2.0
#include "runsc/oci/resources.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace redoubt::oci {

namespace {

using Json = nlohmann::json;

// One object of the file and where it is. Reading a key that has the wrong type remembers the first
// error; the caller asks for it once, at the end.
class Reader {
 public:
  Reader(const Json& json, std::string where, absl::Status* error)
      : json_(json), where_(std::move(where)), error_(error) {
    if (!json.is_object() && !json.is_null()) Fail("", "an object");
  }

  template <typename T>
  void Number(const char* key, std::optional<T>& out) {
    const Json* value = Find(key);
    if (value == nullptr) return;
    if (!FitsIn<T>(*value)) return Fail(key, "a whole number");
    out = value->get<T>();
  }
  template <typename T>
  void Number(const char* key, T& out) {
    std::optional<T> value;
    Number(key, value);
    if (value.has_value()) out = *value;
  }
  void Flag(const char* key, std::optional<bool>& out) {
    const Json* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_boolean()) return Fail(key, "true or false");
    out = value->get<bool>();
  }
  void Text(const char* key, std::string& out) {
    const Json* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_string()) return Fail(key, "a string");
    out = value->get<std::string>();
  }
  Reader Object(const char* key) {
    const Json* value = Find(key);
    return Reader(value == nullptr ? kNothing : *value, Name(key), error_);
  }
  // Calls `each(Reader)` for the elements of a list.
  template <typename F>
  void List(const char* key, F each) {
    const Json* value = Find(key);
    if (value == nullptr) return;
    if (!value->is_array()) return Fail(key, "a list");
    for (size_t i = 0; i < value->size(); ++i) {
      each(Reader((*value)[i], absl::StrCat(Name(key), "[", i, "]"), error_));
    }
  }
  // Calls `each(name, value)` for the members of an object.
  template <typename F>
  void Members(F each) {
    if (!json_.is_object()) return;
    for (const auto& [name, value] : json_.items()) each(name, value);
  }
  void Fail(const std::string& key, const char* wanted) {
    if (!error_->ok()) return;
    *error_ = absl::InvalidArgumentError(absl::StrCat(Name(key), ": want ", wanted));
  }
  const std::string& where() const { return where_; }
  absl::Status* error() const { return error_; }

 private:
  static inline const Json kNothing;

  template <typename T>
  static bool FitsIn(const Json& value) {
    if (value.is_number_unsigned()) {
      return value.get<uint64_t>() <= uint64_t(std::numeric_limits<T>::max());
    }
    return value.is_number_integer() && std::numeric_limits<T>::is_signed;
  }
  // Null when absent; so is an explicit null, as Go's encoders write it.
  const Json* Find(const char* key) const {
    if (!json_.is_object()) return nullptr;
    auto found = json_.find(key);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  std::string Name(const std::string& key) const {
    return key.empty() ? where_ : absl::StrCat(where_, ".", key);
  }

  const Json& json_;
  const std::string where_;
  absl::Status* const error_;
};

DeviceRule ReadDevice(Reader json) {
  DeviceRule rule;
  std::optional<bool> allow;
  json.Flag("allow", allow);
  rule.allow = allow.value_or(false);
  std::string type;
  json.Text("type", type);
  rule.type = type.empty() ? 'a' : type[0];
  bool known = rule.type == 'a' || rule.type == 'b' || rule.type == 'c';
  if (!known || type.size() > 1) json.Fail("type", "a, b or c");
  json.Number("major", rule.major);
  json.Number("minor", rule.minor);
  // -1 is the other way to say "any".
  if (rule.major == -1) rule.major.reset();
  if (rule.minor == -1) rule.minor.reset();
  json.Text("access", rule.access);
  if (rule.access.find_first_not_of("rwm") != std::string::npos) {
    json.Fail("access", "letters of rwm");
  }
  return rule;
}

MemoryResources ReadMemory(Reader json) {
  MemoryResources memory;
  json.Number("limit", memory.limit);
  json.Number("reservation", memory.reservation);
  json.Number("swap", memory.swap);
  json.Number("kernel", memory.kernel);
  json.Number("kernelTCP", memory.kernel_tcp);
  json.Number("swappiness", memory.swappiness);
  json.Flag("disableOOMKiller", memory.disable_oom_killer);
  json.Flag("useHierarchy", memory.use_hierarchy);
  json.Flag("checkBeforeUpdate", memory.check_before_update);
  return memory;
}

CpuResources ReadCpu(Reader json) {
  CpuResources cpu;
  json.Number("shares", cpu.shares);
  json.Number("quota", cpu.quota);
  json.Number("burst", cpu.burst);
  json.Number("period", cpu.period);
  json.Number("realtimeRuntime", cpu.realtime_runtime);
  json.Number("realtimePeriod", cpu.realtime_period);
  json.Number("idle", cpu.idle);
  json.Text("cpus", cpu.cpus);
  json.Text("mems", cpu.mems);
  return cpu;
}

std::vector<ThrottleDevice> ReadThrottle(Reader& json, const char* key) {
  std::vector<ThrottleDevice> devices;
  json.List(key, [&](Reader entry) {
    ThrottleDevice device;
    entry.Number("major", device.major);
    entry.Number("minor", device.minor);
    entry.Number("rate", device.rate);
    devices.push_back(device);
  });
  return devices;
}

BlockIoResources ReadBlockIo(Reader json) {
  BlockIoResources io;
  json.Number("weight", io.weight);
  json.Number("leafWeight", io.leaf_weight);
  json.List("weightDevice", [&](Reader entry) {
    WeightDevice device;
    entry.Number("major", device.major);
    entry.Number("minor", device.minor);
    entry.Number("weight", device.weight);
    entry.Number("leafWeight", device.leaf_weight);
    io.weight_devices.push_back(device);
  });
  io.read_bps = ReadThrottle(json, "throttleReadBpsDevice");
  io.write_bps = ReadThrottle(json, "throttleWriteBpsDevice");
  io.read_iops = ReadThrottle(json, "throttleReadIOPSDevice");
  io.write_iops = ReadThrottle(json, "throttleWriteIOPSDevice");
  return io;
}

NetworkResources ReadNetwork(Reader json) {
  NetworkResources network;
  json.Number("classID", network.class_id);
  json.List("priorities", [&](Reader entry) {
    InterfacePriority priority;
    entry.Text("name", priority.name);
    entry.Number("priority", priority.priority);
    network.priorities.push_back(std::move(priority));
  });
  return network;
}

void ReadRdma(Reader json, LinuxResources& resources) {
  json.Members([&](const std::string& name, const Json& value) {
    Reader entry(value, absl::StrCat(json.where(), ".", name), json.error());
    RdmaLimit& limit = resources.rdma[name];
    entry.Number("hcaHandles", limit.hca_handles);
    entry.Number("hcaObjects", limit.hca_objects);
  });
}

void ReadUnified(Reader json, LinuxResources& resources) {
  json.Members([&](const std::string& name, const Json& value) {
    if (!value.is_string()) return json.Fail(name, "a string");
    resources.unified[name] = value.get<std::string>();
  });
}

}  // namespace

absl::StatusOr<LinuxResources> ParseResources(const Json& json) {
  absl::Status error;
  Reader reader(json, "resources", &error);
  LinuxResources resources;
  reader.List("devices",
              [&](Reader entry) { resources.devices.push_back(ReadDevice(std::move(entry))); });
  resources.memory = ReadMemory(reader.Object("memory"));
  resources.cpu = ReadCpu(reader.Object("cpu"));
  reader.Object("pids").Number("limit", resources.pids_limit);
  resources.block_io = ReadBlockIo(reader.Object("blockIO"));
  reader.List("hugepageLimits", [&](Reader entry) {
    HugepageLimit limit;
    entry.Text("pageSize", limit.page_size);
    entry.Number("limit", limit.limit);
    resources.hugepage_limits.push_back(std::move(limit));
  });
  resources.network = ReadNetwork(reader.Object("network"));
  ReadRdma(reader.Object("rdma"), resources);
  ReadUnified(reader.Object("unified"), resources);
  if (!error.ok()) return error;
  return resources;
}

absl::StatusOr<LinuxResources> ParseResourcesText(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return absl::InvalidArgumentError("resources: not valid JSON");
  return ParseResources(json);
}

}  // namespace redoubt::oci
