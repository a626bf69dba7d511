// WWW-Authenticate challenges (RFC 9110 section 11.6.1), as registries send them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot::http {

struct Challenge {
  std::string scheme;                             // lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // keys in lower case
  std::optional<std::string> parameter(std::string_view key) const;
};

// Every challenge of one header value; a malformed rest is dropped. Bounded: 16 challenges,
// 16 parameters each, 8 KiB.
std::vector<Challenge> parse_challenges(std::string_view header);

}  // namespace entrepot::http
