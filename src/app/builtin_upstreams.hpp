// What is known about public registries without being told.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/config.hpp"

namespace entrepot::app {

// Docker Hub, the default, and the well-known public registries.
std::vector<UpstreamConfig> builtin_upstreams();

// An upstream of which only this much was said.
UpstreamConfig plain_upstream(std::string name, std::vector<std::string> urls);

// The hosts of those URLs that have no path of their own, with the port unless it is the scheme's;
// for any host of Docker Hub all of its names.
std::vector<std::string> implied_aliases(const std::vector<std::string>& urls);

// yes when one alias is docker.io: there a single component means library/<name>.
registry::OfficialImages implied_official_images(const std::vector<std::string>& aliases);

}  // namespace entrepot::app
