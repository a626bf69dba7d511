// HTTP words to registry words: the table of endpoints and the handlers behind it.
#pragma once

#include <functional>
#include <memory>

#include "entrepot/base/metrics.hpp"
#include "entrepot/http/message.hpp"
#include "entrepot/registry/directory.hpp"
#include "entrepot/registry/local.hpp"

namespace entrepot::api {

enum class MetricsAccess { loopback_only, everyone, nobody };

struct Collaborators {
  registry::Directory& directory;
  registry::Local& local;
  base::Metrics& metrics;
  // Empty while we can serve, else the reason: storage broken, draining (/readyz).
  std::function<std::string()> unready;
  MetricsAccess metrics_access = MetricsAccess::loopback_only;
};

// The registry: everything of the route table in src/api/router.cpp.
http::Handler make_handler(Collaborators collaborators);
// The admin listener: health and metrics only.
http::Handler make_admin_handler(Collaborators collaborators);
// Writes the access log line and counts.
http::Observer make_observer(base::Metrics& metrics);

}  // namespace entrepot::api
