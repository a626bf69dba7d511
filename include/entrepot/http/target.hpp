// The request target, decoded exactly once (reliability.md P-01, P-02): nothing behind this parser
// ever sees a percent sign that could mean something again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace entrepot::http {

struct Target {
  std::string path;  // decoded; starts with '/'; no empty, "." or ".." component, no NUL, no '\'
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order

  // First value of that key; absent when there is none.
  std::optional<std::string_view> query_value(std::string_view key) const;
};

// Origin-form (RFC 9112 section 3.2.1), or absolute-form reduced to its path. Absent for anything
// that cannot be decoded cleanly: bad or overlong escapes, bytes of 0x80 and above in raw form,
// an encoded '/', '\', '%' or NUL in the path. A trailing '/' is kept.
std::optional<Target> parse_target(std::string_view raw);

// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3), for query values.
std::string encode_query(std::string_view text);

}  // namespace entrepot::http
