// Bundles and the site's key, as handlers of room api are given them.
#pragma once

#include "app/house.hpp"
#include "entrepot/api/bundle_work.hpp"

namespace entrepot::app {

// `house` outlives it and every job made of it.
api::Bundling bundling(House& house);

}  // namespace entrepot::app
