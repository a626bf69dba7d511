#include "app/reception.hpp"

#include "app/bundling.hpp"
#include "entrepot/base/clock.hpp"

namespace entrepot::app {

upkeep::Jobs::Work collection_work(House& house, api::CollectionOrder order) {
  auto options = house.collecting.now()->options;
  if (order.grace) options.grace = *order.grace;
  if (order.untagged) options.untagged = *order.untagged;
  return api::collection_work(house.collector, options, order.trial);
}

api::Collaborators collaborators(House& house, Surroundings surroundings) {
  api::Operations operations{
      house.jobs,
      [&house](api::CollectionOrder order) { return collection_work(house, order); },
      [&house](transfer::AdoptionOptions options, index::Actor actor) {
        options.accepts = [&house](const oci::RepositoryName& name) {
          return !house.directory->knows(name.first_component());
        };
        return api::adoption_work(
            {*house.index, *house.store, house.admission, base::system_clock(), house.pool},
            std::move(options), std::move(actor));
      },
      [&house](api::ExportOrder order) { return api::export_work(std::move(order), house.pool); },
      std::move(surroundings.reload),
      bundling(house),
      {.replicator = &house.replicator, .peers = [&house] { return house.parties.ask_peers(); }}};
  return {{*house.directory, house.local, *house.index, house.gate, *house.feed},
          {house.writer, house.uploads, house.leases, house.policy},
          std::move(operations),
          house.notifier,
          house.metrics,
          base::system_clock(),
          std::move(surroundings.unready),
          surroundings.metrics_access,
          std::move(surroundings.external_url)};
}

}  // namespace entrepot::app
