// `entrepot check-config`: everything a start would open of what the configuration names, but for
// the data directory and the sockets.
#pragma once

#include "app/config.hpp"

namespace entrepot::app {

// Throws ConfigError with what is wrong: users, keys, rules, patterns, certificates.
void check_config(const Config& config);

}  // namespace entrepot::app
