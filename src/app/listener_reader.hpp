// Where clients come: `listen`, `admin_listen`, `external_url`, `trusted_proxies`.
#pragma once

#include "app/config.hpp"
#include "app/yaml_value.hpp"

namespace entrepot::app {

void read_listeners(YamlSection& top, Config& config);

// Scheme, host and port alone, without a '/' at the end; throws std::invalid_argument with what is
// wrong.
std::string checked_external_url(const std::string& text);

}  // namespace entrepot::app
