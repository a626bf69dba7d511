// The configuration cannot be used: one sentence that begins with the place, "file:line: ".
#pragma once

#include <stdexcept>

namespace entrepot::app {

class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace entrepot::app
