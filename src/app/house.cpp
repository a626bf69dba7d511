#include "app/house.hpp"

#include <stdexcept>

#include "app/config_error.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/upstream/remote.hpp"

namespace entrepot::app {
namespace {

// Blocking work is fsync, directory operations and credential helpers: it waits, it does not
// compute, so its threads are not counted in cores.
constexpr std::size_t pool_threads = 8;

std::unique_ptr<registry::Source> connect(const UpstreamConfig& config, House& house) {
  try {
    return upstream::connect(config.remote, house.client, house.pool, base::system_clock(),
                             house.metrics);
  } catch (const std::invalid_argument& error) {
    throw ConfigError("upstream " + config.name() + ": " + error.what());
  }
}

}  // namespace

House::House(const Config& config)
    : pool(pool_threads),
      store(store::open_filesystem_store(config.data, pool)),
      index(index::open_lmdb_index(config.data)),
      admission(*index, *store, base::system_clock(), metrics),
      local(*index, *store, &metrics),
      fills({*index, *store, admission, pool, base::system_clock(), metrics},
            config.abandoned_fills) {
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

}  // namespace entrepot::app
