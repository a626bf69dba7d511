// Configuration -> object graph: everything that answers requests, but no sockets and no threads of
// its own beside the blocking pool.
//
// Members stand in the order of their dependencies; destruction runs the other way. Whoever owns a
// House destroys the Runtime before it, so that no coroutine is left that could refer to a member.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "app/config.hpp"
#include "app/parties.hpp"
#include "entrepot/async/offload.hpp"
#include "entrepot/auth/gate.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/base/published.hpp"
#include "entrepot/http/client.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/mirror/mirror.hpp"
#include "entrepot/notify/notifier.hpp"
#include "entrepot/registry/admission.hpp"
#include "entrepot/registry/directory.hpp"
#include "entrepot/registry/leases.hpp"
#include "entrepot/registry/local.hpp"
#include "entrepot/registry/local_feed.hpp"
#include "entrepot/registry/movers.hpp"
#include "entrepot/registry/policy.hpp"
#include "entrepot/registry/uploads.hpp"
#include "entrepot/registry/writer.hpp"
#include "entrepot/replication/replicator.hpp"
#include "entrepot/store/blob_store.hpp"
#include "entrepot/upkeep/collector.hpp"
#include "entrepot/upkeep/jobs.hpp"

namespace entrepot::app {

class House {
 public:
  // REQUIRES: the caller holds the DirectoryLock on config.data. Throws what opening store and
  // index throws; ConfigError for what the configuration names and cannot be used.
  explicit House(const Config& config);
  ~House();
  House(const House&) = delete;
  House& operator=(const House&) = delete;

  const std::filesystem::path data;
  const SiteConfig site;  // with a name
  // What the run before promised: read before the index makes a new directory look used.
  const std::optional<std::vector<oci::Digest>> promised;
  base::Metrics metrics;
  async::BlockingPool pool;
  http::Client client;
  auth::Gate gate;
  std::unique_ptr<store::BlobStore> store;
  std::unique_ptr<index::Index> index;
  registry::LeaseTable leases;
  registry::Admission admission;
  registry::PolicySwitch policy;
  notify::Notifier notifier;
  registry::Writer writer;
  registry::Uploads uploads;
  registry::Local local;
  registry::Movers movers;
  const std::shared_ptr<registry::LocalFeed> feed;
  Parties parties;
  const std::unique_ptr<registry::LocalPlace> brought_by_hand;  // written to by bundles
  std::vector<std::unique_ptr<registry::Source>> remotes;
  mirror::FillTable fills;
  std::vector<std::unique_ptr<registry::Source>> mirrors;
  std::unique_ptr<registry::Directory> directory;
  upkeep::Collector collector;
  base::Published<CollectConfig> collecting;  // replaced while running
  upkeep::Jobs jobs;
  replication::Replicator replicator;

 private:
  bool somebody_listens() const;
};

}  // namespace entrepot::app
