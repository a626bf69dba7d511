// The Link header of paged listings (RFC 8288), written for our clients and read from upstreams.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace entrepot::http {

// `<target>; rel="next"`
std::string next_link(std::string_view target);

// The target of the first link with relation "next"; absent when there is none. The target is as
// sent: the caller takes only its query, never its host.
std::optional<std::string> parse_next_link(std::string_view header);

}  // namespace entrepot::http
