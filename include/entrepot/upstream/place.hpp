// Another registry as a Place: read as by connect(), and written by the distribution protocol, so
// that any registry will do. What broke off is gone on with where it broke, also by a later
// put_blob of the same blob, and after a restart where RemoteOptions::uploads says so.
#pragma once

#include <memory>

#include "entrepot/registry/sink.hpp"
#include "entrepot/upstream/remote.hpp"

namespace entrepot::upstream {

// As connect(). One at a time moves a digest to it. A version of a ManifestOffer is not kept there.
std::unique_ptr<registry::Place> connect_place(RemoteOptions options, http::Client& client,
                                               async::BlockingPool& pool, const base::Clock& clock,
                                               base::Metrics& metrics);

}  // namespace entrepot::upstream
