// SPDX-License-Identifier: Apache-2.0
#include "runsc/cgroup/device_program.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <optional>

#include "base/host/syscall.h"
#include "base/owned_fd.h"
#include "runsc/cgroup/files.h"

namespace redoubt::cgroup {

namespace {

// The program reads struct bpf_cgroup_dev_ctx once into these.
constexpr uint8_t kContext = BPF_REG_1, kScratch = BPF_REG_1, kType = BPF_REG_2,
                  kAccess = BPF_REG_3, kMajor = BPF_REG_4, kMinor = BPF_REG_5;

bpf_insn Instruction(uint8_t code, uint8_t target, uint8_t source, int16_t offset, int32_t value) {
  bpf_insn insn{};
  insn.code = code;
  insn.dst_reg = target & 0xf;
  insn.src_reg = source & 0xf;
  insn.off = offset;
  insn.imm = value;
  return insn;
}

bpf_insn Load(uint8_t target, int16_t offset) {
  return Instruction(BPF_LDX | BPF_MEM | BPF_W, target, kContext, offset, 0);
}

bpf_insn Alu(uint8_t operation, uint8_t target, int32_t value) {
  return Instruction(static_cast<uint8_t>(BPF_ALU | BPF_K | operation), target, 0, 0, value);
}

// Compares 32 bits: minor and major numbers may use the top one.
bpf_insn Jump(uint8_t operation, uint8_t target, int32_t value) {
  return Instruction(static_cast<uint8_t>(BPF_JMP32 | BPF_K | operation), target, 0, 0, value);
}

int32_t AccessBits(const std::string& access) {
  int32_t bits = 0;
  for (char letter : access) {
    bits |= letter == 'r'   ? BPF_DEVCG_ACC_READ
            : letter == 'w' ? BPF_DEVCG_ACC_WRITE
                            : BPF_DEVCG_ACC_MKNOD;
  }
  constexpr int32_t kAll = BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD;
  return bits == 0 ? kAll : bits;
}

// One rule: if it matches, return; else fall through to what follows. Its jumps all lead there.
std::vector<bpf_insn> Block(const oci::DeviceRule& rule) {
  std::vector<bpf_insn> code;
  if (rule.type != 'a') {
    code.push_back(
        Jump(BPF_JNE, kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
    int32_t bits = AccessBits(rule.access);
    if (bits != AccessBits("")) {
      code.push_back(Instruction(BPF_ALU | BPF_X | BPF_MOV, kScratch, kAccess, 0, 0));
      if (rule.allow) {  // Allows only what asks for nothing more.
        code.push_back(Alu(BPF_AND, kScratch, ~bits));
        code.push_back(Jump(BPF_JNE, kScratch, 0));
      } else {  // Refuses whatever asks for any of it.
        code.push_back(Alu(BPF_AND, kScratch, bits));
        code.push_back(Jump(BPF_JEQ, kScratch, 0));
      }
    }
    if (rule.major) code.push_back(Jump(BPF_JNE, kMajor, static_cast<int32_t>(*rule.major)));
    if (rule.minor) code.push_back(Jump(BPF_JNE, kMinor, static_cast<int32_t>(*rule.minor)));
  }
  code.push_back(Alu(BPF_MOV, BPF_REG_0, rule.allow ? 1 : 0));
  code.push_back(Instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
  for (size_t i = 0; i < code.size(); ++i) {
    if (BPF_CLASS(code[i].code) == BPF_JMP32) {
      code[i].off = static_cast<int16_t>(code.size() - i - 1);
    }
  }
  return code;
}

bool MatchesAll(const oci::DeviceRule& rule) { return rule.type == 'a'; }

Result<unsigned> Bpf(int command, bpf_attr& attributes) {
  auto result =
      host::Call([&] { return syscall(SYS_bpf, command, &attributes, sizeof(attributes)); });
  if (!result.ok()) return result.error();
  return static_cast<unsigned>(*result);
}

Result<OwnedFd> LoadProgram(const std::vector<bpf_insn>& program) {
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = reinterpret_cast<uint64_t>(program.data());
  attributes.insn_cnt = static_cast<uint32_t>(program.size());
  attributes.license = reinterpret_cast<uint64_t>("Apache");
  return OwnedFd(static_cast<int>(TRY(Bpf(BPF_PROG_LOAD, attributes))));
}

// The one device program that is attached here already; nothing when there is none or several.
std::optional<OwnedFd> Attached(int cgroup) {
  uint32_t ids[8];
  bpf_attr attributes{};
  attributes.query.target_fd = static_cast<uint32_t>(cgroup);
  attributes.query.attach_type = BPF_CGROUP_DEVICE;
  attributes.query.prog_ids = reinterpret_cast<uint64_t>(ids);
  attributes.query.prog_cnt = 8;
  if (!Bpf(BPF_PROG_QUERY, attributes).ok() || attributes.query.prog_cnt != 1) return std::nullopt;
  bpf_attr by_id{};
  by_id.prog_id = ids[0];
  Result<unsigned> fd = Bpf(BPF_PROG_GET_FD_BY_ID, by_id);
  if (!fd.ok()) return std::nullopt;
  return OwnedFd(static_cast<int>(*fd));
}

Result<void> Attach(int cgroup, int program) {
  std::optional<OwnedFd> old = Attached(cgroup);
  bpf_attr attributes{};
  attributes.target_fd = static_cast<uint32_t>(cgroup);
  attributes.attach_bpf_fd = static_cast<uint32_t>(program);
  attributes.attach_type = BPF_CGROUP_DEVICE;
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  if (old) {
    attributes.attach_flags |= BPF_F_REPLACE;
    attributes.replace_bpf_fd = static_cast<uint32_t>(old->get());
  }
  TRY(Bpf(BPF_PROG_ATTACH, attributes));
  return {};
}

}  // namespace

std::vector<bpf_insn> CompileDeviceProgram(const std::vector<oci::DeviceRule>& rules) {
  std::vector<bpf_insn> program = {
      Load(kType, offsetof(bpf_cgroup_dev_ctx, access_type)),
      Instruction(BPF_ALU | BPF_X | BPF_MOV, kAccess, kType, 0, 0),
      Alu(BPF_AND, kType, 0xffff),
      Alu(BPF_RSH, kAccess, 16),
      Load(kMajor, offsetof(bpf_cgroup_dev_ctx, major)),
      Load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor)),
  };
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
    std::vector<bpf_insn> block = Block(*rule);
    program.insert(program.end(), block.begin(), block.end());
    if (MatchesAll(*rule)) return program;  // The verifier refuses code that is never reached.
  }
  std::vector<bpf_insn> refuse = Block(oci::DeviceRule{});
  program.insert(program.end(), refuse.begin(), refuse.end());
  return program;
}

absl::Status AttachDeviceProgram(const std::string& directory,
                                 const std::vector<bpf_insn>& program) {
  OwnedFd cgroup(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!cgroup.valid()) return FileError("open", directory, Errno(errno));
  Result<OwnedFd> loaded = LoadProgram(program);
  if (!loaded.ok()) return FileError("load the device program for", directory, loaded.error());
  Result<void> attached = Attach(cgroup.get(), loaded->get());
  if (attached.ok()) return absl::OkStatus();
  return FileError("attach the device program to", directory, attached.error());
}

}  // namespace redoubt::cgroup
