// The Content-Range of a 206 (RFC 9110 section 14.4). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace entrepot::upstream {

struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::optional<std::uint64_t> total{};  // absent for "*"
};

// "bytes 0-9/10"; absent when malformed or impossible.
std::optional<ContentRange> parse_content_range(std::string_view text);

}  // namespace entrepot::upstream
