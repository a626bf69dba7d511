// A registry house with a LocalPlace in it.
#pragma once

#include "entrepot/registry/local_place.hpp"
#include "registry_house.hpp"

namespace entrepot::test {

class PlaceHouse : public RegistryHouse {
 protected:
  registry::LocalPlace::House house() {
    return {.index = facts_,
            .store = store_,
            .local = local_,
            .admission = admission_,
            .leases = leases_,
            .writer = writer_,
            .movers = movers_,
            .pool = pool_};
  }

  registry::Movers movers_;
  registry::LocalPlace place_{house(), "replication:test"};
};

}  // namespace entrepot::test
