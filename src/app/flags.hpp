// What may be said on the command line instead of the configuration file, or over it. `entrepot
// serve`, `entrepot check-config` and the operator's commands all get their Config here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/config.hpp"

namespace entrepot::app {

enum class OpenToAll { no, yes };

// Absent or empty: the file's word, else the default.
struct Flags {
  std::optional<std::string> config{};
  std::vector<std::string> listen{};
  std::optional<std::string> admin_listen{};
  std::optional<std::string> external_url{};
  std::optional<std::string> tls_certificate{};  // with the key: for every address but Unix sockets
  std::optional<std::string> tls_key{};
  std::optional<std::string> htpasswd{};
  OpenToAll open = OpenToAll::no;
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
