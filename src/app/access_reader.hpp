// `access:` of the configuration file: who may do what.
#pragma once

#include "app/config.hpp"
#include "app/yaml_value.hpp"

namespace entrepot::app {

AccessConfig read_access(YamlSection section);

}  // namespace entrepot::app
