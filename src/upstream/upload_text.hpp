// Reads what a registry says of an upload (distribution-spec "Pushing a blob in chunks"). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "entrepot/http/url.hpp"

namespace entrepot::upstream {

// How many bytes stand there, from "0-<last>", with or without "bytes="; absent when it cannot be
// read. Of nothing and of one byte many say the same: 1 may mean 0.
std::optional<std::uint64_t> parse_upload_range(std::string_view text);

// Where an upload goes on: `location` as answered at `seen_at`, its query kept. A registry behind a
// proxy may believe it is spoken to by http: its own host is asked as the upstream is. Absent when
// we do not go there (reliability.md U-04, U-05).
std::optional<http::Url> upload_address(const http::Url& upstream, const http::Url& seen_at,
                                        std::string_view location);

// The same address with another parameter in its query.
http::Url with_parameter(http::Url url, std::string_view name, std::string_view value);

}  // namespace entrepot::upstream
