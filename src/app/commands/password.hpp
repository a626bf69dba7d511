// A password, typed or piped.
#pragma once

#include <optional>
#include <string>

#include "app/console.hpp"

namespace entrepot::app::commands {

// From a terminal without echo and twice, else the first line of console.in. Absent, with a
// sentence said, when there is none or the two differ.
std::optional<std::string> read_password(Console& console);

}  // namespace entrepot::app::commands
