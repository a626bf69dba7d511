// base64url without padding (RFC 4648 section 5, RFC 7515 section 2). Strict: one text a value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace entrepot::auth {

std::string to_base64url(std::string_view bytes);
// Absent for padding, other characters, or bits that belong to no byte.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace entrepot::auth
