// Range requests (RFC 9110 section 14): which bytes were asked for, and the 206 or 416 that
// answers.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "entrepot/async/byte_source.hpp"
#include "entrepot/http/message.hpp"

namespace entrepot::http {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

struct WholeBody {};      // no Range, or one we may ignore: another unit, malformed, too many
struct Unsatisfiable {};  // 416
using Selection = std::variant<WholeBody, Unsatisfiable, std::vector<ByteRange>>;

// Pure. Ranges that cannot be satisfied are dropped; none left means Unsatisfiable. Overlapping or
// more than 64 ranges, or ranges that together exceed `size`, select the whole body: no request can
// make us send more than the content once (reliability.md R-09).
Selection select_ranges(std::string_view range_header, std::uint64_t size);

// Fills status, Content-Range, Accept-Ranges, Content-Type and body of `reply`
// (multipart/byteranges for several ranges). `if_range` mismatching `etag` selects the whole body.
void set_content(Reply& reply, const Request& request, std::shared_ptr<async::ByteSource> content,
                 std::string_view content_type, std::string_view etag);

}  // namespace entrepot::http
