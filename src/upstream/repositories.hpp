// The repositories of an upstream (Docker Registry HTTP API V2, "Listing Repositories").
#pragma once

#include <memory>

#include "entrepot/registry/sink.hpp"
#include "upstream/asker.hpp"

namespace entrepot::upstream {

// One page of its own. Absent or denied when it lists none to us.
async::Task<registry::Answer<registry::RepositoryPage>> list_repositories(
    std::shared_ptr<Asker> asker, registry::Page page);

}  // namespace entrepot::upstream
