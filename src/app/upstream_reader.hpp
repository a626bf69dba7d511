// One entry of `upstreams:` in the configuration file.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "app/config.hpp"
#include "app/yaml_value.hpp"

namespace entrepot::app {

// `taken`: names and aliases of the entries read so far; each stands for one upstream only.
UpstreamConfig read_upstream(const YamlValue& value, std::set<std::string>& taken);

// A list of name patterns, each of which can be read.
std::vector<std::string> read_globs(const YamlValue& list);

}  // namespace entrepot::app
