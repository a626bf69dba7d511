// From the file to a Config.
#pragma once

#include <filesystem>
#include <string>

#include "app/config.hpp"

namespace entrepot::app {

// The file as written, every key checked; upstreams it does not name are the built-in ones. Throws
// ConfigError with file and line (reliability.md O-13).
Config read_config(const std::filesystem::path& file);
// The same of text that stands in `file`.
Config parse_config(const std::string& text, const std::filesystem::path& file);

}  // namespace entrepot::app
