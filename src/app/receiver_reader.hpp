// One entry of `notifications:` in the configuration file.
#pragma once

#include <set>
#include <string>

#include "app/config.hpp"
#include "app/yaml_value.hpp"

namespace entrepot::app {

// `taken`: names of the entries read so far; a receiver's place among the events is kept by it.
notify::Receiver read_receiver(const YamlValue& value, std::set<std::string>& taken);

}  // namespace entrepot::app
