// Cross-repository mounts (distribution-spec "Mounting a blob from another repository").
#pragma once

#include "api/call.hpp"

namespace entrepot::api {

// Links `digest` from the repository that ?from= names, or without it from any the caller may pull.
// Who may not pull there hears the same as for an unknown digest (reliability.md A-03); whose token
// alone stands in the way is asked for another, as Docker's registry does it.
async::Task<registry::Mounted> mount(Call call, oci::Digest digest);

}  // namespace entrepot::api
