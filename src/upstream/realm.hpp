// Who may hear our secret (reliability.md U-01): a token server names itself in a challenge, so its
// word is not enough. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "entrepot/http/challenge.hpp"
#include "entrepot/http/headers.hpp"
#include "entrepot/http/url.hpp"

namespace entrepot::upstream {

enum class Trust {
  none,
  same_origin,  // as the upstream itself
  same_site,    // shares its registered domain, over https
  listed,       // by the operator
};
Trust trust_in(const http::Url& realm, const http::Url& upstream,
               const std::vector<http::Url>& trusted);

// The challenge we answer among all of a 401: Bearer with a realm before Basic; absent: neither.
std::optional<http::Challenge> choose_challenge(const http::Headers& headers);

}  // namespace entrepot::upstream
