// What the user typed.
#pragma once

#include <expected>
#include <iosfwd>

#include "app/config_reader.hpp"
#include "entrepot/app/run.hpp"

namespace entrepot::app {

enum class Verb { serve, check_config };

struct Command {
  Verb verb = Verb::serve;
  Flags flags;
};

// When there is nothing to run (help, version, a mistake) the text is on `out` or `error` already
// and the status is what to exit with.
std::expected<Command, ExitStatus> parse_command_line(int argc, const char* const* argv,
                                                      std::ostream& out, std::ostream& error);

}  // namespace entrepot::app
