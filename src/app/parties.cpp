#include "app/parties.hpp"

#include <stdexcept>
#include <utility>

#include "app/config_error.hpp"
#include "entrepot/async/together.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/registry/warm.hpp"
#include "entrepot/upstream/feed.hpp"
#include "entrepot/upstream/place.hpp"

namespace entrepot::app {
namespace {

std::shared_ptr<http::TokenBucket> bucket(const std::optional<std::uint64_t>& per_second) {
  if (!per_second) return nullptr;
  return std::make_shared<http::TokenBucket>(*per_second, base::system_clock());
}

registry::CopyOptions walk_of(const replication::Rule& rule) {
  return {.platforms = rule.platforms, .referrers = rule.referrers};
}

}  // namespace

// The mirror of an upstream once more, in the lane of a rule. What it fetches is everybody's.
struct Parties::Warmer {
  Warmer(const mirror::MirrorOptions& options, upstream::RemoteOptions there, const House& house,
         registry::CopyOptions of_it)
      : remote(upstream::connect(std::move(there), house.client, house.pool, base::system_clock(),
                                 house.metrics)),
        mirror(mirror::make_mirror(options, *remote, house.fills)),
        walk(std::move(of_it)) {}

  const std::unique_ptr<registry::Source> remote;
  const std::unique_ptr<registry::Source> mirror;
  const registry::CopyOptions walk;

  static async::Task<registry::Answer<registry::CopyTally>> warm(std::shared_ptr<const Warmer> self,
                                                                 oci::RepositoryName name,
                                                                 oci::Tag tag);
};

async::Task<registry::Answer<registry::CopyTally>> Parties::Warmer::warm(
    std::shared_ptr<const Warmer> self, oci::RepositoryName name, oci::Tag tag) {
  auto warmed = co_await registry::warm(*self->mirror, {.name = std::move(name),
                                                        .reference = oci::Reference(std::move(tag)),
                                                        .options = self->walk});
  if (!warmed) co_return std::unexpected(std::move(warmed.error()));
  co_return warmed->tally;
}

Parties::Parties(const Config& config, House house)
    : house_(std::move(house)), line_(http::make_line(base::system_clock(), house_.metrics)) {
  for (const auto& upstream : config.upstreams) {
    auto entry = known(upstream.remote, upstream.limits);
    entry.mirror = upstream.mirror;
    known_.emplace(upstream.name(), std::move(entry));
  }
  for (const auto& peer : config.peers) add(peer);
}

Parties::~Parties() = default;

void Parties::add(const PeerConfig& peer) {
  auto entry = known(peer.remote, peer.limits);
  if (peer.kind == PeerConfig::Kind::entrepot) entry.speaks = Speaks::entrepot;
  auto options = entry.options;
  options.lane = interactive_lane();
  known_.emplace(peer.name(), std::move(entry));
  try {
    probes_.emplace_back(peer.kind, std::move(options), house_.client, house_.pool, house_.metrics);
  } catch (const std::invalid_argument& error) {
    throw ConfigError("peer " + peer.name() + ": " + error.what());
  }
}

Parties::Known Parties::known(const upstream::RemoteOptions& options,
                              const replication::Limits& limits) {
  Known made{.options = options,
             .bytes = bucket(limits.bytes_per_second),
             .requests = bucket(limits.requests_per_second)};
  made.options.rate = std::make_shared<upstream::RateBudget>(base::system_clock());
  return made;
}

std::shared_ptr<http::Lane> Parties::interactive_lane() const {
  return std::make_shared<http::Lane>(http::Lane{http::Priority::interactive, line_});
}

upstream::RemoteOptions Parties::interactive(const std::string& upstream) const {
  auto options = known_.at(upstream).options;
  options.lane = interactive_lane();
  return options;
}

std::shared_ptr<http::Lane> Parties::lane(const Known& known,
                                          const replication::Limits& limits) const {
  auto lane = std::make_shared<http::Lane>(http::Lane{http::Priority::replication, line_});
  if (known.bytes) lane->bytes.push_back(known.bytes);
  if (known.requests) lane->requests.push_back(known.requests);
  if (auto own = bucket(limits.bytes_per_second)) lane->bytes.push_back(std::move(own));
  if (auto own = bucket(limits.requests_per_second)) lane->requests.push_back(std::move(own));
  return lane;
}

std::unique_ptr<registry::LocalPlace> Parties::here(std::string actor) const {
  return std::make_unique<registry::LocalPlace>(house_.here, std::move(actor));
}

replication::Party Parties::party_here(const replication::Rule& rule) const {
  const index::Actor actor{.name = "replication:" + rule.name};
  return {.place = here(actor.name),
          .feed = house_.feed,
          .apply = [&writer = house_.here.writer, actor](index::Batch& batch,
                                                         const index::Change& change) {
            return writer.apply(batch, change, actor);
          }};
}

const Parties::Known& Parties::find(const replication::Rule& rule, const std::string& name) const {
  const auto found = known_.find(name);
  if (found == known_.end()) {
    throw std::invalid_argument("rule " + rule.name + ": '" + name +
                                "' was not there at the start: restart to use it");
  }
  return found->second;
}

void Parties::check(const replication::Rule& rule) const {
  for (const auto& name : {rule.from, rule.to}) {
    if (name != replication::here && name != replication::in_bundles) find(rule, name);
  }
  const bool follows = std::holds_alternative<replication::Follow>(rule.when);
  if (follows && find(rule, rule.from).speaks != Speaks::entrepot) {
    throw std::invalid_argument(
        "rule " + rule.name + ": '" + rule.from +
        "' was no peer of kind entrepot at the start: restart to follow it");
  }
}

replication::Party Parties::party(const replication::Rule& rule, const std::string& name) const {
  if (name == replication::here) return party_here(rule);
  if (name == replication::in_bundles) return {};
  const auto& known = find(rule, name);
  if (rule.pulled_within) return warming_party(known, rule);
  auto options = known.options;
  options.lane = lane(known, rule.limits);
  options.uploads = {.index = &house_.here.index, .owner = rule.name};
  if (known.speaks == Speaks::distribution) return {.place = place(std::move(options))};
  auto peer = upstream::connect_peer(std::move(options), house_.client, house_.pool,
                                     base::system_clock(), house_.metrics);
  return {.place = std::move(peer.place), .feed = std::move(peer.feed)};
}

replication::Party Parties::warming_party(const Known& known, const replication::Rule& rule) const {
  auto options = known.options;
  options.lane = lane(known, rule.limits);
  auto warmer = std::make_shared<const Warmer>(*known.mirror, options, house_, walk_of(rule));
  {
    const std::lock_guard lock(mutex_);
    warmers_.push_back(warmer);
  }
  return {.place = place(std::move(options)),
          .warm = [warmer = std::move(warmer)](oci::RepositoryName repository, oci::Tag tag) {
            return Warmer::warm(warmer, std::move(repository), std::move(tag));
          }};
}

std::shared_ptr<registry::Place> Parties::place(upstream::RemoteOptions options) const {
  return upstream::connect_place(std::move(options), house_.client, house_.pool,
                                 base::system_clock(), house_.metrics);
}

async::Task<std::vector<api::PeerCard>> Parties::ask_peers() const {
  std::vector<api::PeerCard> cards(probes_.size());
  std::vector<async::Task<>> questions;
  questions.reserve(probes_.size());
  for (std::size_t i = 0; i < probes_.size(); ++i) questions.push_back(probes_[i].ask(cards[i]));
  co_await async::together(std::move(questions));
  co_return cards;
}

}  // namespace entrepot::app
