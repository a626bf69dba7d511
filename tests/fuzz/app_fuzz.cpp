// The configuration file: whatever stands in it is a Config or one sentence with its place.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "app/config_error.hpp"
#include "app/config_reader.hpp"

namespace app = entrepot::app;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto config = app::parse_config(text, "/nowhere/config.yaml");
    if (config.upstreams.empty() || config.listen.empty()) std::abort();
  } catch (const app::ConfigError& error) {
    if (std::string_view(error.what()).substr(0, 20) != "/nowhere/config.yaml") std::abort();
  }
  return 0;
}
