// What the verbs of the command line share. Who includes it pays for CLI11 (6 s of compile time).
#pragma once

#include <CLI/CLI.hpp>
#include <memory>

#include "app/command_line.hpp"

namespace entrepot::app {

// A command of the operator under its own word; what it is told goes to `told`.
template <class Told>
CLI::App& add_verb(CLI::App& app, const char* word, const char* about, Command& command,
                   const std::shared_ptr<Told>& told) {
  auto* verb = app.add_subcommand(word, about);
  verb->final_callback([told, &command] { command = commands::Command{*told}; });
  return *verb;
}

inline void add_data(CLI::App& verb, commands::Place& place) {
  verb.add_option("--data", place.data, "data directory of the registry")->type_name("DIR");
}

inline void add_place(CLI::App& verb, commands::Place& place) {
  add_data(verb, place);
  verb.add_option("--config", place.config, "configuration of the registry")->type_name("FILE");
}

inline void add_output(CLI::App& verb, commands::Output& output) {
  verb.add_flag_callback(
      "--json", [&output] { output = commands::Output::json; }, "JSON, an object a line");
}

// sync, peers, replication, warm, bundle.
void add_site_commands(CLI::App& app, Command& command);

}  // namespace entrepot::app
