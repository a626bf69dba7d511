// Who replication is between: this registry, and every other one the configuration names, as Places
// and Feeds of each rule's own, with the limits of registry and rule and the line all share.
//
// Peers, upstreams and their limits are those of the start; rules may come and go. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/config.hpp"
#include "app/peer_probe.hpp"
#include "entrepot/async/offload.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/http/client.hpp"
#include "entrepot/http/lane.hpp"
#include "entrepot/mirror/mirror.hpp"
#include "entrepot/registry/feed.hpp"
#include "entrepot/registry/local_place.hpp"
#include "entrepot/replication/replicator.hpp"

namespace entrepot::app {

class Parties {
 public:
  // All outlives it and what it makes.
  struct House {
    http::Client& client;
    async::BlockingPool& pool;
    base::Metrics& metrics;
    registry::LocalPlace::House here;
    std::shared_ptr<registry::Feed> feed;  // our own
    mirror::FillTable& fills;              // not looked at before somebody asks
  };
  // Throws ConfigError for a peer that cannot be used.
  Parties(const Config& config, House house);
  ~Parties();

  // For the mirror of an upstream: people's exchanges, before which all others stand back.
  upstream::RemoteOptions interactive(const std::string& upstream) const;

  // Throws std::invalid_argument with a sentence when the rule names somebody who was not there at
  // the start, or was somebody else.
  void check(const replication::Rule& rule) const;
  // As replication::Parties.
  replication::Party party(const replication::Rule& rule, const std::string& name) const;

  // This registry, for somebody who changes it under that name.
  std::unique_ptr<registry::LocalPlace> here(std::string actor) const;

  // Peers as they answer now, side by side; each is waited for some seconds.
  async::Task<std::vector<api::PeerCard>> ask_peers() const;

 private:
  struct Warmer;
  enum class Speaks { distribution, entrepot };
  struct Known {
    Speaks speaks = Speaks::distribution;
    std::optional<mirror::MirrorOptions> mirror{};  // of an upstream
    upstream::RemoteOptions options;  // what is known of its rate limit is shared by all made of it
    std::shared_ptr<http::TokenBucket> bytes{};  // of all rules together; null: no limit
    std::shared_ptr<http::TokenBucket> requests{};
  };

  void add(const PeerConfig& peer);
  const Known& find(const replication::Rule& rule, const std::string& name) const;
  static Known known(const upstream::RemoteOptions& options, const replication::Limits& limits);
  replication::Party warming_party(const Known& known, const replication::Rule& rule) const;
  std::shared_ptr<registry::Place> place(upstream::RemoteOptions options) const;
  replication::Party party_here(const replication::Rule& rule) const;
  std::shared_ptr<http::Lane> interactive_lane() const;
  std::shared_ptr<http::Lane> lane(const Known& known, const replication::Limits& limits) const;

  const House house_;
  const std::shared_ptr<http::Line> line_;
  std::map<std::string, Known> known_;
  // A download that one of them began may outlive its rule, so they are kept: one for each time a
  // rule of tags pulled lately is changed.
  mutable std::mutex mutex_;  // guards warmers_
  mutable std::vector<std::shared_ptr<const Warmer>> warmers_;
  std::vector<PeerProbe> probes_;
};

}  // namespace entrepot::app
