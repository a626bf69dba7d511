#include "app/bundling.hpp"

#include <memory>
#include <utility>
#include <vector>

#include "entrepot/base/clock.hpp"

namespace entrepot::app {
namespace {

constexpr const char* key_file = "site.key";
constexpr const char* staging_folder = "bundles";

using Sources = std::vector<std::shared_ptr<registry::Place>>;

// `sources` keeps the places a rule reads from for as long as the bundle is made.
async::Task<transfer::BundleOptions> covered(replication::Replicator& replicator, std::string rule,
                                             std::shared_ptr<Sources> sources) {
  auto coverage = co_await replicator.covered(rule);
  transfer::BundleOptions options{.referrers = coverage.referrers,
                                  .platforms = std::move(coverage.platforms)};
  for (auto& each : coverage.images) {
    options.images.push_back({.source = each.source.get(),
                              .from = std::move(each.repository),
                              .repository = std::move(each.target),
                              .tag = std::move(each.tag),
                              .digest = each.digest,
                              .version = std::move(each.version)});
    if (sources->empty()) sources->push_back(std::move(each.source));
  }
  options.removals = co_await replicator.deleted(std::move(rule));
  co_return options;
}

// Made anew for each job: the key comes into being when it is first needed.
api::BundleHouse bundle_house(House& house) {
  return {
      .intake = {*house.index, *house.store, house.admission, house.writer, *house.brought_by_hand,
                 base::system_clock(), house.pool, house.data / staging_folder},
      .key = transfer::SiteKey::load_or_make(house.data / key_file),
      .site_name = house.site.name,
      .trusted = house.site.trusted_keys,
      .covered =
          [&house, sources = std::make_shared<Sources>()](std::string rule) {
            return covered(house.replicator, std::move(rule), sources);
          },
      .accepts =
          [&house](const oci::RepositoryName& name) {
            return !house.directory->knows(name.first_component());
          }};
}

}  // namespace

api::Bundling bundling(House& house) {
  return {.want =
              [&house](api::WantOrder order) {
                return api::want_work(bundle_house(house), std::move(order));
              },
          .bundle =
              [&house](api::BundleOrder order) {
                return api::bundle_work(bundle_house(house), std::move(order));
              },
          .application =
              [&house](api::BundleApplication order, index::Actor actor) {
                return api::bundle_application_work(bundle_house(house), std::move(order),
                                                    std::move(actor));
              },
          .site = [&house] { return api::site_card(bundle_house(house)); }};
}

}  // namespace entrepot::app
