// SPDX-License-Identifier: Apache-2.0
//
// The first half of loading: which ELF file runs, with which arguments, and are its headers sane.
#include <linux/binfmts.h>

#include <optional>
#include <utility>

#include "sentry/loader/loader.h"
#include "sentry/loader/read_file.h"

namespace redoubt::loader {

namespace {

constexpr int kMaxScriptDepth = 5;   // exec_binprm() of fs/exec.c.
constexpr size_t kScriptLine = 255;  // BINPRM_BUF_SIZE, less the zero at its end.
constexpr std::string_view kBlank = " \t";

struct ScriptLine {
  std::string interpreter;
  std::optional<std::string> argument;
};

// The `#!` line (fs/binfmt_script.c). ENOEXEC when it names nothing or is cut inside the name.
Result<ScriptLine> ParseScriptLine(std::string_view head) {
  std::string_view line = head.substr(2);
  size_t newline = line.find_first_of(std::string_view("\n\0", 2));
  bool complete = newline != std::string_view::npos || head.size() < kScriptLine;
  if (newline != std::string_view::npos) line = line.substr(0, newline);
  size_t start = line.find_first_not_of(kBlank);
  if (start == std::string_view::npos) return Errno(ENOEXEC);
  line = line.substr(start);
  size_t name_end = line.find_first_of(kBlank);
  if (name_end == std::string_view::npos && !complete) return Errno(ENOEXEC);
  ScriptLine result;
  result.interpreter = std::string(line.substr(0, name_end));
  if (name_end == std::string_view::npos) return result;
  std::string_view rest = line.substr(name_end);
  size_t first = rest.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return result;
  size_t last = rest.find_last_not_of(kBlank);
  result.argument = std::string(rest.substr(first, last - first + 1));
  return result;
}

// Puts the interpreter, its argument and the script's name in the place of argv[0].
void RewriteArguments(const ScriptLine& line, const std::string& script,
                      std::vector<std::string>& arguments) {
  std::vector<std::string> rewritten{line.interpreter};
  if (line.argument.has_value()) rewritten.push_back(*line.argument);
  rewritten.push_back(script);
  for (size_t i = 1; i < arguments.size(); ++i) rewritten.push_back(std::move(arguments[i]));
  arguments = std::move(rewritten);
}

Result<void> AddInterpreter(Program& program, const FileOpener& open) {
  if (program.image.interpreter.empty()) return {};
  program.interpreter_file = TRY(open(program.image.interpreter));
  Result<ElfImage> image = ReadElf(*program.interpreter_file);
  // A broken interpreter is ELIBBAD, whatever is wrong with it.
  if (!image.ok()) return Errno(image.Is(ENOEXEC) ? ELIBBAD : image.error().value());
  program.interpreter_image = *std::move(image);
  return {};
}

}  // namespace

Result<Program> Prepare(RefPtr<vfs::FileDescription> file, std::string name,
                        std::vector<std::string> arguments, const FileOpener& open) {
  Program program;
  program.executable_name = name;
  // Since 5.18 Linux gives a program called without arguments an empty argv[0].
  if (arguments.empty()) arguments.push_back("");
  for (int depth = 0;; ++depth) {
    char head[kScriptLine];
    size_t size = TRY(ReadUpTo(*file, 0, std::as_writable_bytes(std::span(head))));
    if (size < 2 || head[0] != '#' || head[1] != '!') break;
    if (depth >= kMaxScriptDepth) return Errno(ELOOP);
    ScriptLine line = TRY(ParseScriptLine(std::string_view(head, size)));
    RewriteArguments(line, name, arguments);
    name = line.interpreter;
    file = TRY(open(name));
  }
  program.file = std::move(file);
  program.arguments = std::move(arguments);
  program.image = TRY(ReadElf(*program.file));
  TRY(AddInterpreter(program, open));
  return program;
}

Result<void> CheckArgumentSize(const std::vector<std::string>& arguments,
                               const std::vector<std::string>& environment, uint64_t stack_limit) {
  constexpr uint64_t kMaxString = 131072;      // MAX_ARG_STRLEN.
  constexpr uint64_t kLeast = 32 * 4096;       // ARG_MAX's floor.
  constexpr uint64_t kMost = 6 * 1024 * 1024;  // Three quarters of the default stack.
  uint64_t limit = std::max(kLeast, std::min(kMost, stack_limit / 4));
  uint64_t total = 0;
  for (const auto* strings : {&arguments, &environment}) {
    for (const std::string& text : *strings) {
      if (text.size() + 1 > kMaxString) return Errno(E2BIG);
      total += text.size() + 1 + sizeof(uint64_t);
    }
  }
  if (total > limit) return Errno(E2BIG);
  return {};
}

}  // namespace redoubt::loader
