// What this registry lets happen to its own repositories: `registry:`, `history:`, `collect:`.
#pragma once

#include "app/config.hpp"
#include "app/yaml_value.hpp"

namespace entrepot::app {

RegistryConfig read_registry(YamlSection section);
void read_history(YamlSection section, CollectConfig& collect);
void read_collect(YamlSection section, CollectConfig& collect);

}  // namespace entrepot::app
