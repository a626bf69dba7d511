// The signed form of Docker's schema 1: its digest is that of the payload, not of the bytes that
// travel. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace entrepot::upstream {

// The payload the signatures are over: the bytes without them. Absent when it cannot be made out.
std::optional<std::string> signed_payload(std::string_view manifest);

}  // namespace entrepot::upstream
