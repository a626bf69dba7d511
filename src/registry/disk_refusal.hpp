// What a client hears when our disk will not have its bytes.
#pragma once

#include <system_error>

namespace entrepot::registry {

// Throws oci::Refusal: storage_full where there is no room (reliability.md D-07, D-08), unavailable
// where we may not write (D-09); any other error as it is.
[[noreturn]] void refuse_disk(const std::system_error& error);

}  // namespace entrepot::registry
