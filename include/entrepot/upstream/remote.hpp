// Another registry as a Source, over HTTP: authentication, redirects, several URLs tried in order,
// retries, resumption by Range. Made by the app, seen by the mirror only as registry::Source.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/async/offload.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/http/client.hpp"
#include "entrepot/http/lane.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/registry/source.hpp"
#include "entrepot/upstream/rate_budget.hpp"

namespace entrepot::upstream {

enum class PrivateNetwork { refused, allowed };

// Where a Place writes down which uploads it has open, so that they are gone on with after a
// restart or kill -9: under the name of who pushes, who is one at a time. Null: nowhere.
struct UploadMemory {
  index::Index* index = nullptr;
  std::string owner{};
};

struct RemoteOptions {
  std::string name;               // for log, metrics and Provenance
  std::vector<std::string> urls;  // tried in order, the unhealthy last
  std::string username;           // empty: docker_config, else anonymous
  std::string password_file;      // read again when it changes
  std::string docker_config;      // path of a docker config.json; read again when it changes
  std::vector<std::string>
      trusted_realms;  // origins that may receive our secret beside same-site ones
  PrivateNetwork private_network = PrivateNetwork::refused;
  http::Transport transport;
  unsigned retries = 3;
  std::size_t concurrency = 16;
  // What every request takes of a line, and whether it is replication's; null: all it can,
  // people's.
  std::shared_ptr<http::Lane> lane{};
  // Manifests replication leaves to people, of those the upstream still allows.
  std::uint64_t reserve = 0;
  // What this account may still ask for, as all know who ask for it; null: nobody else does.
  std::shared_ptr<RateBudget> rate{};
  UploadMemory uploads{};
};

// Everything outlives the Remote. Throws std::invalid_argument on a URL that cannot be used.
std::unique_ptr<registry::Source> connect(RemoteOptions options, http::Client& client,
                                          async::BlockingPool& pool, const base::Clock& clock,
                                          base::Metrics& metrics);

}  // namespace entrepot::upstream
