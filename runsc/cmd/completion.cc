// SPDX-License-Identifier: Apache-2.0
//
// runsc completion bash: what bash(1) needs to complete our command lines. The words are taken from
// the commands themselves; containers' names from `runsc list`.
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "runsc/cmd/setup.h"

namespace redoubt::runsc {

namespace {

std::string FlagsOf(const CLI::App& app) {
  std::string flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) absl::StrAppend(&flags, " --", name);
  }
  return flags;
}

bool TakesContainer(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional() && option->get_name() == "ID") {
      std::string name = command.get_name();
      return name != "create" && name != "run";
    }
  }
  return false;
}

int PrintBash(const CLI::App& app) {
  std::string names, cases;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    absl::StrAppend(&names, " ", command->get_name());
    absl::StrAppend(&cases, "    ", command->get_name(), ") words=\"", FlagsOf(*command), "\"");
    if (TakesContainer(*command)) absl::StrAppend(&cases, "; takes_id=1");
    absl::StrAppend(&cases, " ;;\n");
  }
  printf(R"(# Completion for runsc: source <(runsc completion bash)
_runsc() {
  local current=${COMP_WORDS[COMP_CWORD]} command= word words takes_id=
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) command=$word; break ;; esac
  done
  case "$command" in
%s    *) words="%s%s" ;;
  esac
  if [[ $takes_id && $current != -* ]]; then
    words=$(runsc list --quiet 2>/dev/null)
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _runsc runsc
)",
         cases.c_str(), names.c_str() + 1, FlagsOf(app).c_str());
  return 0;
}

}  // namespace

void AddCompletionCommand(CommandLine line) {
  CLI::App* command = line.app.add_subcommand("completion", "Print a shell's completion script");
  auto shell = std::make_shared<std::string>("bash");
  command->add_option("SHELL", *shell, "bash")->check(CLI::IsMember({"bash"}));
  command->callback([shell, line] { *line.run = [line] { return PrintBash(line.app); }; });
}

}  // namespace redoubt::runsc
