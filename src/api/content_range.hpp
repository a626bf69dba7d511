// Content-Range of an upload's piece: `<first>-<last>`, both inclusive (distribution-spec "Pushing
// a blob in chunks"); also as HTTP writes it, `bytes <first>-<last>/<size or *>`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace entrepot::api {

struct PieceRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;  // at least one byte
  friend bool operator==(const PieceRange&, const PieceRange&) = default;
};

// Pure. Absent when it is neither form, runs backwards or does not fit 64 bits.
std::optional<PieceRange> parse_content_range(std::string_view text);

}  // namespace entrepot::api
