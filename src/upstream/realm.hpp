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
  none,         // it may be asked, as anybody may, when we have no secret to tell
  same_origin,  // as the upstream itself
  same_site,    // shares its registered domain, over https
  listed,       // by the operator
};
Trust trust_in(const http::Url& realm, const http::Url& upstream,
               const std::vector<http::Url>& trusted);

// Whether such a token server may be asked at all: never over a weaker connection than the
// upstream's own, nor with a secret that is not for it.
enum class Secret { none, ours };
enum class Verdict { refuse, ask };
Verdict may_ask(const http::Url& realm, const http::Url& upstream,
                const std::vector<http::Url>& trusted, Secret secret);

// The challenge we answer among all of a 401: Bearer with a realm before Basic; absent: neither.
std::optional<http::Challenge> choose_challenge(const http::Headers& headers);

}  // namespace entrepot::upstream
