// SPDX-License-Identifier: Apache-2.0
#include "runsc/cmd/help.h"

#include <cstdio>
#include <memory>
#include <string>

#include "gofer/server/sandbox.h"
#include "runsc/cmd/exit_codes.h"
#include "runsc/sandbox/platforms.h"
#include "sentry/boot/confine.h"

namespace redoubt::runsc {

namespace {

int HelpPlatforms() {
  for (const platform::PlatformType* type : AllPlatforms()) {
    absl::Status supported = type->supported();
    printf("%-14.*s %.*s\n", static_cast<int>(type->name.size()), type->name.data(),
           static_cast<int>(type->description.size()), type->description.data());
    if (!supported.ok()) {
      printf("%-14s not on this machine: %s\n", "", std::string(supported.message()).c_str());
    }
  }
  return 0;
}

// The seccomp allow-lists as they are installed, but for the numbers of descriptors.
int HelpFilters() {
  for (const platform::PlatformType* type : AllPlatforms()) {
    printf("The sentry with --platform=%s:\n%s\n", std::string(type->name).c_str(),
           boot::DescribeSentryCalls(type->required_calls()).c_str());
  }
  printf("The gofer:\n%s", gofer::DescribeAllowedCalls().c_str());
  return 0;
}

int Help(const CLI::App& app, const std::string& topic) {
  if (topic == "platforms") return HelpPlatforms();
  if (topic == "filters") return HelpFilters();
  if (topic.empty()) {
    // App::help() would show the chosen command, which is this one.
    printf("%s", app.get_formatter()->make_help(&app, "runsc", CLI::AppFormatMode::Normal).c_str());
    return 0;
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() != topic) continue;
    printf("%s", command->help().c_str());
    return 0;
  }
  fprintf(stderr, "runsc: help: no topic \"%s\"; try: runsc help\n", topic.c_str());
  return kExitFailure;
}

}  // namespace

void AddHelpCommand(CLI::App& app, std::function<int()>* run) {
  auto topic = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("help", "Explain a command, or: platforms, filters");
  command->add_option("TOPIC", *topic, "A command's name, platforms, or filters");
  command->callback([&app, topic, run] { *run = [&app, topic] { return Help(app, *topic); }; });
}

}  // namespace redoubt::runsc
