#include "entrepot/http/range.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <random>

#include "entrepot/oci/refusal.hpp"
#include "http/scan.hpp"

namespace entrepot::http {

namespace {

constexpr std::size_t most_ranges = 64;
constexpr auto largest = std::numeric_limits<std::uint64_t>::max();

// `first-last`, `first-` or `-suffix` as written.
struct Wish {
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> last;
};

// Digits, saturating: a number too large for us lies beyond the end of any content.
std::optional<std::uint64_t> take_number(Scanner& scanner) {
  if (!is_digit(scanner.peek())) return std::nullopt;
  std::uint64_t value = 0;
  while (is_digit(scanner.peek())) {
    const auto digit = static_cast<std::uint64_t>(scanner.peek() - '0');
    value = value > (largest - digit) / 10 ? largest : value * 10 + digit;
    scanner.skip(1);
  }
  return value;
}

std::optional<Wish> take_wish(Scanner& scanner) {
  Wish wish;
  wish.first = take_number(scanner);
  if (!scanner.take('-')) return std::nullopt;
  wish.last = take_number(scanner);
  if (!wish.first && !wish.last) return std::nullopt;
  scanner.skip_blanks();
  if (!scanner.at_end() && scanner.peek() != ',') return std::nullopt;
  return wish;
}

// Absent when the header is malformed, speaks of other units or wishes too much.
std::optional<std::vector<Wish>> parse_wishes(std::string_view header) {
  Scanner scanner(header);
  if (!equals_ignoring_case(scanner.token(), "bytes") || !scanner.take('=')) return std::nullopt;
  std::vector<Wish> wishes;
  for (scanner.skip_separators(); !scanner.at_end(); scanner.skip_separators()) {
    const auto wish = take_wish(scanner);
    if (!wish || wishes.size() == most_ranges) return std::nullopt;
    wishes.push_back(*wish);
  }
  if (wishes.empty()) return std::nullopt;
  return wishes;
}

std::optional<ByteRange> satisfy(const Wish& wish, std::uint64_t size) {
  if (!wish.first) {
    const auto length = std::min(*wish.last, size);
    if (length == 0) return std::nullopt;
    return ByteRange{.first = size - length, .length = length};
  }
  // One that runs backwards selects nothing: it may be rejected (RFC 9110 section 14.2), and the
  // conformance suite wants it so.
  const bool backwards = wish.last && *wish.last < *wish.first;
  if (backwards || *wish.first >= size) return std::nullopt;
  const auto last = std::min(wish.last.value_or(largest), size - 1);
  return ByteRange{.first = *wish.first, .length = last - *wish.first + 1};
}

bool overlap(std::vector<ByteRange> ranges) {
  std::ranges::sort(ranges, {}, &ByteRange::first);
  const auto found = std::ranges::adjacent_find(
      ranges, [](const auto& a, const auto& b) { return b.first - a.first < a.length; });
  return found != ranges.end();
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
  return fmt::format("bytes {}-{}/{}", range.first, range.first + range.length - 1, size);
}

// Only a strong match lets a range continue what the client has (RFC 9110 section 13.1.5).
bool if_range_allows(const Request& request, std::string_view etag) {
  const auto condition = request.headers.get("If-Range");
  return !condition || (!etag.empty() && !etag.starts_with("W/") && *condition == etag);
}

Selection select_for(const Request& request, std::uint64_t size, std::string_view etag) {
  if (request.method != "GET" || request.headers.count("Range") != 1) return WholeBody{};
  if (!if_range_allows(request, etag)) return WholeBody{};
  return select_ranges(*request.headers.get("Range"), size);
}

std::string fresh_boundary() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return fmt::format("{:016x}{:016x}", random(), random());
}

void refuse(Reply& reply, std::uint64_t size) {
  const auto code = oci::ErrorCode::range_invalid;
  reply.status = 416;
  reply.headers.set("Content-Range", fmt::format("bytes */{}", size));
  reply.headers.set("Content-Type", "application/json");
  reply.headers.set("X-Content-Type-Options", "nosniff");
  reply.body.emplace_back(oci::error_body(code, "no byte of the content was asked for"));
}

// RFC 9110 section 14.6.
void set_multipart(Reply& reply, const std::shared_ptr<async::ByteSource>& content,
                   std::string_view content_type, const std::vector<ByteRange>& ranges) {
  const auto boundary = fresh_boundary();
  std::string_view line_end;
  for (const auto& range : ranges) {
    reply.body.emplace_back(fmt::format("{}--{}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n",
                                        line_end, boundary, content_type,
                                        content_range(range, content->size())));
    reply.body.emplace_back(SourcePart{content, range.first, range.length});
    line_end = "\r\n";
  }
  reply.body.emplace_back(fmt::format("\r\n--{}--\r\n", boundary));
  reply.headers.set("Content-Type", "multipart/byteranges; boundary=" + boundary);
}

}  // namespace

Selection select_ranges(std::string_view range_header, std::uint64_t size) {
  const auto wishes = parse_wishes(range_header);
  // An empty body has no byte to select; clients that always send a Range get it as it is.
  if (!wishes || size == 0) return WholeBody{};
  std::vector<ByteRange> ranges;
  for (const auto& wish : *wishes) {
    if (const auto range = satisfy(wish, size)) ranges.push_back(*range);
  }
  if (ranges.empty()) return Unsatisfiable{};
  if (overlap(ranges)) return WholeBody{};
  return ranges;
}

void set_content(Reply& reply, const Request& request, std::shared_ptr<async::ByteSource> content,
                 std::string_view content_type, std::string_view etag) {
  const auto size = content->size();
  const auto selection = select_for(request, size, etag);
  reply.headers.set("Accept-Ranges", "bytes");
  if (std::holds_alternative<Unsatisfiable>(selection)) return refuse(reply, size);
  reply.headers.set("Content-Type", content_type);
  const auto* ranges = std::get_if<std::vector<ByteRange>>(&selection);
  if (ranges == nullptr) {
    reply.status = 200;
    reply.body.emplace_back(SourcePart{std::move(content), 0, size});
    return;
  }
  reply.status = 206;
  if (ranges->size() > 1) return set_multipart(reply, content, content_type, *ranges);
  const auto& range = ranges->front();
  reply.headers.set("Content-Range", content_range(range, size));
  reply.body.emplace_back(SourcePart{std::move(content), range.first, range.length});
}

}  // namespace entrepot::http
