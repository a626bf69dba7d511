// Conditional requests: whether an If-None-Match header matches an entity tag.
#pragma once

#include <string_view>

namespace entrepot::http {

// Weak comparison (RFC 9110 section 13.1.2); `etag` with its quotes. "*" matches everything.
bool if_none_match(std::string_view header, std::string_view etag);

}  // namespace entrepot::http
