// HTTP words to registry words: the table of endpoints and the handlers behind it.
//
// Made by the app, called by http::Server from every serving thread. What Collaborators refer to
// outlives the handlers and is thread-safe. A refusal becomes the specification's error body here,
// so that access log and metrics know the route it belongs to.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "entrepot/api/bundle_work.hpp"
#include "entrepot/api/replication_work.hpp"
#include "entrepot/api/work.hpp"
#include "entrepot/auth/gate.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/http/message.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/notify/notifier.hpp"
#include "entrepot/registry/directory.hpp"
#include "entrepot/registry/leases.hpp"
#include "entrepot/registry/local.hpp"
#include "entrepot/registry/local_feed.hpp"
#include "entrepot/registry/policy.hpp"
#include "entrepot/registry/uploads.hpp"
#include "entrepot/registry/writer.hpp"
#include "entrepot/upkeep/jobs.hpp"

namespace entrepot::api {

enum class MetricsAccess { loopback_only, everyone, nobody };

// Where content is, and who may see it.
struct Reading {
  registry::Directory& directory;
  registry::Local& local;
  index::Index& index;
  const auth::Gate& gate;
  registry::LocalFeed& feed;
};

// What pushes and deletions go through.
struct Writing {
  registry::Writer& writer;
  registry::Uploads& uploads;
  registry::LeaseTable& leases;
  registry::PolicySwitch& policy;
};

// What the operator may ask for under /api/v1. The hooks make the work of one job each, for
// which work.hpp has the parts; an empty hook answers 405.
struct Operations {
  upkeep::Jobs& jobs;
  std::function<upkeep::Jobs::Work(CollectionOrder)> collection;
  std::function<upkeep::Jobs::Work(transfer::AdoptionOptions, index::Actor)> adoption;
  std::function<upkeep::Jobs::Work(ExportOrder)> export_image;
  // Reads access, keys, receivers and policy again. Throws std::runtime_error with a sentence for
  // the operator; then nothing has changed.
  std::function<async::Task<>()> reload;
  Bundling bundling{};
  Replication replication{};
};

struct Collaborators {
  Reading reading;
  Writing writing;
  Operations operations;
  notify::Notifier& notifier;
  base::Metrics& metrics;
  const base::Clock& clock;
  // Empty while we can serve, else the reason: storage broken, draining (/readyz). Never waits.
  std::function<std::string()> unready;
  MetricsAccess metrics_access = MetricsAccess::loopback_only;
  std::string external_url{};  // for links in events; empty: as each client calls us
};

// The registry: everything of the route table in src/api/table.cpp.
http::Handler make_handler(Collaborators collaborators);
// The admin listener: health and metrics only, open to whoever reaches it.
http::Handler make_admin_handler(Collaborators collaborators);
// Writes the access log line and counts. `metrics` outlives it.
http::Observer make_observer(base::Metrics& metrics);

// The route table for people and tests: {"routes":[{"route", "pattern", "methods", "need",
// "section"}]}, a line an endpoint and need. In a pattern <name> is a repository, any other <word>
// one path component; behind a '?' stands the query key that names the repository.
std::string routes_json();

}  // namespace entrepot::api
