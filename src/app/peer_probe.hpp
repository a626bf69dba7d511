// Whether a peer can be reached, and as whom it knows us: one short question, for people who look.
#pragma once

#include <memory>

#include "app/config.hpp"
#include "entrepot/api/replication_work.hpp"
#include "entrepot/async/offload.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/http/client.hpp"
#include "entrepot/registry/feed.hpp"
#include "entrepot/registry/sink.hpp"
#include "entrepot/upstream/remote.hpp"

namespace entrepot::app {

// Immutable; everything outlives it.
class PeerProbe {
 public:
  PeerProbe(PeerConfig::Kind kind, upstream::RemoteOptions options, http::Client& client,
            async::BlockingPool& pool, base::Metrics& metrics);

  async::Task<> ask(api::PeerCard& card) const;

 private:
  async::Task<> ask_site(api::PeerCard& card) const;
  async::Task<> ask_registry(api::PeerCard& card) const;

  const upstream::RemoteOptions options_;
  std::shared_ptr<registry::Feed> feed_{};    // of an entrepot
  std::shared_ptr<registry::Place> place_{};  // of any other
};

}  // namespace entrepot::app
