// JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037) to keys.
#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "auth/public_key.hpp"

namespace entrepot::auth {

// Absent for a key that is not for checking signatures of ours: another use, kind, curve or
// algorithm, a secret. The error is for one that claims to be and is broken or too weak.
std::expected<std::optional<PublicKey>, std::string> parse_jwk(const boost::json::object& jwk);

// RFC 7638, of an EC P-256 key by its coordinates.
std::string thumbprint_p256(std::string_view x, std::string_view y);

}  // namespace entrepot::auth
