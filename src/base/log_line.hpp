// Turns an event and its fields into one line of text or JSON: the pure part of the log.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "entrepot/base/log.hpp"

namespace entrepot::base::log {

std::string_view to_string(Level level);

// Appends the line, without a newline, to `line`.
void append_line(std::string& line, Format format, Level level, std::string_view time,
                 std::string_view event, std::span<const Field> fields);

}  // namespace entrepot::base::log
