#include "upstream/upload_text.hpp"

#include "entrepot/base/units.hpp"
#include "entrepot/http/target.hpp"

namespace entrepot::upstream {

std::optional<std::uint64_t> parse_upload_range(std::string_view text) {
  constexpr std::string_view unit = "bytes=";
  constexpr std::string_view first = "0-";
  constexpr std::uint64_t most = std::uint64_t{1} << 62;
  if (text.starts_with(unit)) text.remove_prefix(unit.size());
  if (!text.starts_with(first)) return std::nullopt;
  const auto last = base::parse_unsigned(text.substr(first.size()));
  if (!last || *last >= most) return std::nullopt;
  return *last + 1;
}

std::optional<http::Url> upload_address(const http::Url& upstream, const http::Url& seen_at,
                                        std::string_view location) {
  auto next = http::resolve_url(seen_at, location);
  if (!next) return std::nullopt;
  if (upstream.scheme == "https" && next->scheme == "http") {
    if (next->host != upstream.host) return std::nullopt;
    next->scheme = upstream.scheme;
    next->port = upstream.port;
  }
  return next;
}

http::Url with_parameter(http::Url url, std::string_view name, std::string_view value) {
  if (!url.query.empty()) url.query += '&';
  url.query += std::string(name) + "=" + http::encode_query(value);
  return url;
}

}  // namespace entrepot::upstream
