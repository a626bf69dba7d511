#include "upstream/realm.hpp"

#include <algorithm>

namespace entrepot::upstream {

Trust trust_in(const http::Url& realm, const http::Url& upstream,
               const std::vector<http::Url>& trusted) {
  if (realm.origin() == upstream.origin()) return Trust::same_origin;
  const bool listed = std::ranges::any_of(
      trusted, [&](const http::Url& each) { return each.origin() == realm.origin(); });
  if (listed) return Trust::listed;
  const bool encrypted = realm.scheme == "https" && upstream.scheme == "https";
  return encrypted && http::same_site(realm, upstream) ? Trust::same_site : Trust::none;
}

Verdict may_ask(const http::Url& realm, const http::Url& upstream,
                const std::vector<http::Url>& trusted, Secret secret) {
  if (trust_in(realm, upstream, trusted) != Trust::none) return Verdict::ask;
  const bool weaker = upstream.scheme == "https" && realm.scheme != "https";
  return weaker || secret == Secret::ours ? Verdict::refuse : Verdict::ask;
}

std::optional<http::Challenge> choose_challenge(const http::Headers& headers) {
  std::optional<http::Challenge> basic;
  for (const auto header : headers.all("WWW-Authenticate"))
    for (auto& challenge : http::parse_challenges(header)) {
      if (challenge.scheme == "bearer" && challenge.parameter("realm")) return challenge;
      if (challenge.scheme == "basic" && !basic) basic = std::move(challenge);
    }
  return basic;
}

}  // namespace entrepot::upstream
