// Reads what an answer says of the requests that are left. Pure.
#pragma once

#include <optional>

#include "entrepot/http/headers.hpp"
#include "entrepot/upstream/rate_budget.hpp"

namespace entrepot::upstream {

// RateLimit-Remaining, RateLimit-Limit ("100;w=21600") and, where there is no w, RateLimit-Reset;
// absent when nothing is said of what remains, or it cannot be read.
std::optional<RateLimit> parse_rate_limit(const http::Headers& headers);

}  // namespace entrepot::upstream
