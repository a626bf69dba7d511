// `site:` and one entry of `peers:` in the configuration file.
#pragma once

#include <set>
#include <string>

#include "app/config.hpp"
#include "app/yaml_value.hpp"

namespace entrepot::app {

SiteConfig read_site(YamlSection section);

// `taken`: names of upstreams and of the peers read so far; rules call both by name.
PeerConfig read_peer(const YamlValue& value, std::set<std::string>& taken);

}  // namespace entrepot::app
