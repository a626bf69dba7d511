// The Authorization header (RFC 7617 Basic, RFC 6750 Bearer).
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace entrepot::auth {

struct NoAuthorization {};
struct BasicAuthorization {
  std::string name;
  std::string password;
};
struct BearerAuthorization {
  std::string_view token;  // of the header
};
// Another scheme, or not what its scheme asks for.
struct OddAuthorization {};

using Authorization =
    std::variant<NoAuthorization, BasicAuthorization, BearerAuthorization, OddAuthorization>;

// An empty header is none.
Authorization parse_authorization(std::string_view header);

}  // namespace entrepot::auth
