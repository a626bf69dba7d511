#include "app/check_config.hpp"

#include <stdexcept>

#include "app/access.hpp"
#include "app/config_error.hpp"
#include "entrepot/async/offload.hpp"
#include "entrepot/base/clock.hpp"

namespace entrepot::app {
namespace {

void check_access(const Config& config) {
  auto options = gate_options(config);
  // A key that is not there would be made: that is the start's business.
  if (!std::filesystem::exists(options.tokens.key)) options.tokens.realm.clear();
  async::BlockingPool pool(1);
  const auth::Gate gate(std::move(options), pool, base::system_clock());
}

}  // namespace

void check_config(const Config& config) {
  try {
    check_access(config);
    for (const auto& listener : config.listen) {
      if (listener.tls) const http::TlsKeys keys(*listener.tls);
    }
    const registry::Policy policy(config.registry.policy);
  } catch (const std::exception& error) {
    throw ConfigError(error.what());
  }
}

}  // namespace entrepot::app
