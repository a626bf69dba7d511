// One entry of `replication:` in the configuration file.
#pragma once

#include <set>
#include <string>

#include "app/config.hpp"
#include "app/yaml_value.hpp"

namespace entrepot::app {

// `taken`: names of the rules read so far; where a rule stands is kept by its name. `config` has
// the upstreams and peers it may name.
replication::Rule read_rule(const YamlValue& value, const Config& config,
                            std::set<std::string>& taken);

// What is wrong with whom a rule goes between, as a sentence; empty: nothing.
std::string fault_of_places(const replication::Rule& rule, const Config& config);

}  // namespace entrepot::app
