// What yaml-cpp 0.7 reads without a word though it is not one whole document.
#pragma once

#include <optional>
#include <string>

namespace entrepot::app {

struct YamlTrouble {
  int line = 0;  // from 1
  std::string what;
};

// A second document, which would not be read, or quoted text that never ends and has swallowed the
// rest of the file. Throws YAML::Exception for what is no YAML.
std::optional<YamlTrouble> find_trouble(const std::string& text);

}  // namespace entrepot::app
