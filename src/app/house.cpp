#include "app/house.hpp"

#include <unistd.h>

#include <array>
#include <climits>
#include <functional>
#include <stdexcept>

#include "app/access.hpp"
#include "app/config_error.hpp"
#include "app/lease_book.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/upstream/remote.hpp"

namespace entrepot::app {
namespace {

// Blocking work is fsync, directory operations, bcrypt and credential helpers: most of it waits, it
// does not compute, so its threads are not counted in cores.
constexpr std::size_t pool_threads = 8;

std::unique_ptr<registry::Source> connect(const UpstreamConfig& config, House& house) {
  try {
    return upstream::connect(house.parties.interactive(config.name()), house.client, house.pool,
                             base::system_clock(), house.metrics);
  } catch (const std::invalid_argument& error) {
    throw ConfigError("upstream " + config.name() + ": " + error.what());
  }
}

// Users, keys or rules that cannot be read are a mistake of the configuration.
auth::Gate open_gate(const Config& config, async::BlockingPool& pool) {
  try {
    return auth::Gate(gate_options(config), pool, base::system_clock());
  } catch (const std::runtime_error& error) {
    throw ConfigError(error.what());
  }
}

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

SiteConfig with_name(SiteConfig site) {
  if (site.name.empty()) site.name = host_name();
  return site;
}

std::vector<std::string> names_of_upstreams(const Config& config) {
  std::vector<std::string> names;
  names.reserve(config.upstreams.size());
  for (const auto& upstream : config.upstreams) names.push_back(upstream.name());
  return names;
}

replication::Replicator open_replicator(const Config& config, House& house) {
  try {
    return replication::Replicator({*house.index, base::system_clock(), house.metrics},
                                   config.rules, std::bind_front(&Parties::party, &house.parties));
  } catch (const std::invalid_argument& error) {
    throw ConfigError(error.what());
  }
}

}  // namespace

House::House(const Config& config)
    : data(config.data),
      site(with_name(config.site)),
      promised(promises_of_last_run(config.data)),
      pool(pool_threads),
      gate(open_gate(config, pool)),
      store(store::open_filesystem_store(config.data, pool)),
      index(index::open_lmdb_index(config.data)),
      leases(config.collect.lease),
      admission(*index, *store, base::system_clock(), metrics),
      policy(std::make_shared<const registry::Policy>(config.registry.policy)),
      notifier(*index, client, base::system_clock(), metrics, config.receivers,
               config.external_url.value_or(host_name())),
      writer(*index, leases, policy, base::system_clock(), [this] { return somebody_listens(); }),
      uploads(*store, admission, leases, writer, policy, pool, base::system_clock(), metrics),
      local(*index, *store, &metrics),
      feed(std::make_shared<registry::LocalFeed>(
          registry::LocalFeed::House{*index, pool, base::system_clock()})),
      parties(config, {client,
                       pool,
                       metrics,
                       {*index, *store, local, admission, leases, writer, movers, pool,
                        names_of_upstreams(config)},
                       feed,
                       fills}),
      brought_by_hand(parties.here("bundle")),
      fills({*index, *store, admission, pool, base::system_clock(), metrics},
            config.abandoned_fills),
      collector({*index, *store, admission, leases, pool, base::system_clock(), metrics}),
      collecting(std::make_shared<const CollectConfig>(config.collect)),
      jobs(base::system_clock()),
      replicator(open_replicator(config, *this)) {
  if (promised) leases.arm(*promised);
  policy.set_read_only(config.registry.read_only == ReadOnly::yes);
  std::vector<registry::DirectoryEntry> entries;
  for (const auto& upstream : config.upstreams) {
    remotes.push_back(connect(upstream, *this));
    mirrors.push_back(mirror::make_mirror(upstream.mirror, *remotes.back(), fills));
    entries.push_back(
        {upstream.name(), upstream.aliases, upstream.official_images, mirrors.back().get()});
  }
  directory =
      std::make_unique<registry::Directory>(local, std::move(entries), base::GlobSet(config.local));
}

House::~House() = default;

bool House::somebody_listens() const {
  using enum index::EventKind;
  for (const auto kind : {push, removal, tag_moved, mount}) {
    if (notifier.wanted(kind)) return true;
  }
  return false;
}

}  // namespace entrepot::app
