// What the user typed.
#pragma once

#include <expected>
#include <iosfwd>
#include <variant>

#include "app/commands/command.hpp"
#include "app/flags.hpp"
#include "entrepot/app/run.hpp"

namespace entrepot::app {

struct Serve {
  Flags flags{};
};
struct CheckConfig {
  Flags flags{};
};

using Command = std::variant<Serve, CheckConfig, commands::Command>;

// When there is nothing to run (help, version, a mistake) the text is on `out` or `error` already
// and the status is what to exit with.
std::expected<Command, ExitStatus> parse_command_line(int argc, const char* const* argv,
                                                      std::ostream& out, std::ostream& error);

}  // namespace entrepot::app
