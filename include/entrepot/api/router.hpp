// HTTP words to registry words: the table of endpoints and the handlers behind it.
//
// Made by the app, called by http::Server from every serving thread. What Collaborators refer to
// outlives the handlers and is thread-safe. A refusal becomes the specification's error body here,
// so that access log and metrics know the route it belongs to.
#pragma once

#include <functional>
#include <string>

#include "entrepot/base/metrics.hpp"
#include "entrepot/http/message.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/registry/directory.hpp"
#include "entrepot/registry/local.hpp"

namespace entrepot::api {

enum class MetricsAccess { loopback_only, everyone, nobody };

struct Collaborators {
  registry::Directory& directory;
  registry::Local& local;
  index::Index& index;
  base::Metrics& metrics;
  // Empty while we can serve, else the reason: storage broken, draining (/readyz). Never waits.
  std::function<std::string()> unready;
  MetricsAccess metrics_access = MetricsAccess::loopback_only;
};

// The registry: everything of the route table in src/api/table.cpp.
http::Handler make_handler(Collaborators collaborators);
// The admin listener: health and metrics only.
http::Handler make_admin_handler(Collaborators collaborators);
// Writes the access log line and counts. `metrics` outlives it.
http::Observer make_observer(base::Metrics& metrics);

}  // namespace entrepot::api
