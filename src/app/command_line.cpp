#include "app/command_line.hpp"

// Of the whole program only this file pays for CLI11 (6 s of compile time).
#include <CLI/CLI.hpp>
#include <ostream>

namespace entrepot::app {
namespace {

constexpr const char* version_text = "entrepot " ENTREPOT_VERSION;

void add_serve(CLI::App& serve, Flags& flags) {
  serve.add_option("--config", flags.config, "configuration file (YAML)")->type_name("FILE");
  serve.add_option("--listen", flags.listen, "address to serve on; repeatable")
      ->type_name("ADDR:PORT");
  serve.add_option("--admin-listen", flags.admin_listen, "address for health and metrics alone")
      ->type_name("ADDR:PORT");
  serve.add_option("--data", flags.data, "data directory")->type_name("DIR");
  serve
      .add_option("--upstream", flags.upstreams,
                  "upstream registry; repeatable, the first is the default one")
      ->type_name("NAME=URL");
  serve.add_option("--log-level", flags.log_level, "trace, debug, info, warn or error")
      ->type_name("LEVEL");
  serve.add_option("--log-format", flags.log_format, "text or json")->type_name("FORMAT");
}

}  // namespace

std::expected<Command, ExitStatus> parse_command_line(int argc, const char* const* argv,
                                                      std::ostream& out, std::ostream& error) {
  Command command;
  CLI::App app("A registry mirror: answers from what it has, asks a neighbour when it has not.",
               "entrepot");
  app.set_version_flag("--version", version_text);
  app.require_subcommand(1);
  auto* serve = app.add_subcommand("serve", "run the daemon");
  add_serve(*serve, command.flags);
  auto* check = app.add_subcommand("check-config", "read the configuration and say what is wrong");
  check->add_option("--config", command.flags.config, "configuration file (YAML)")
      ->type_name("FILE");
  auto* version = app.add_subcommand("version", "print the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& end) {
    const bool asked_for = app.exit(end, out, error) == 0;
    return std::unexpected(asked_for ? ExitStatus::clean : ExitStatus::usage);
  }
  if (version->parsed()) {
    out << version_text << '\n';
    return std::unexpected(ExitStatus::clean);
  }
  command.verb = check->parsed() ? Verb::check_config : Verb::serve;
  return command;
}

}  // namespace entrepot::app
