// The House as the handlers of room api see it: who collaborates, and the work behind each of the
// operator's jobs. For the daemon's listeners, and for commands that open a directory themselves.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "app/house.hpp"
#include "entrepot/api/router.hpp"

namespace entrepot::app {

// What only a running daemon has; empty for a command.
struct Surroundings {
  std::function<std::string()> unready{};
  std::function<async::Task<>()> reload{};
  api::MetricsAccess metrics_access = api::MetricsAccess::loopback_only;
  std::string external_url{};
};

// `house` outlives the handlers made of it.
api::Collaborators collaborators(House& house, Surroundings surroundings);

// A round as configured now, but for what the order says; for the schedule, too.
upkeep::Jobs::Work collection_work(House& house, api::CollectionOrder order);

}  // namespace entrepot::app
