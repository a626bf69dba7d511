// How a quota says no, for bytes that are stored and for bytes on their way in.
#pragma once

#include <cstdint>
#include <string_view>

namespace entrepot::registry {

// Denied when `wanted` of `what` is more than is allowed.
void refuse_over(std::string_view what, std::uint64_t wanted, std::uint64_t allowed);

}  // namespace entrepot::registry
