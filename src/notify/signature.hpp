// What proves to a receiver that an envelope is ours: GitHub's form, which receivers know.
#pragma once

#include <string>
#include <string_view>

namespace entrepot::notify {

inline constexpr std::string_view signature_header = "X-Entrepot-Signature";

// "sha256=" and the HMAC of `body` in lower-case hexadecimal.
std::string signature(std::string_view secret, std::string_view body);

}  // namespace entrepot::notify
