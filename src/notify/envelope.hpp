// The words of the event envelope that others of this room need.
#pragma once

#include <string_view>

namespace entrepot::notify {

// As Docker's registry sends it since 2.0: receivers compare it.
inline constexpr std::string_view envelope_type =
    "application/vnd.docker.distribution.events.v2+json";

}  // namespace entrepot::notify
