// From file and flags to a Config. `entrepot serve` and `entrepot check-config` both end here.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/config.hpp"

namespace entrepot::app {

// The file as written, every key checked; upstreams it does not name are the built-in ones. Throws
// ConfigError with file and line (reliability.md O-13).
Config read_config(const std::filesystem::path& file);

// What may be said on the command line; absent or empty: the file's word, else the default.
struct Flags {
  std::optional<std::string> config{};
  std::vector<std::string> listen{};
  std::optional<std::string> admin_listen{};
  std::optional<std::string> data{};
  std::vector<std::string> upstreams{};  // NAME=URL; any at all replace the whole list
  std::optional<std::string> log_level{};
  std::optional<std::string> log_format{};
};

// Throws std::invalid_argument with a sentence naming the flag.
void apply_flags(Config& config, const Flags& flags);

// File (when a flag names one), then flags.
Config load_config(const Flags& flags);

}  // namespace entrepot::app
