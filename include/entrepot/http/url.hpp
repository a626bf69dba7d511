// Absolute http and https URLs of upstreams, token servers and redirects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot::http {

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case; IPv6 in brackets
  std::uint16_t port = 0;
  std::string path;   // starts with '/'
  std::string query;  // without '?'; may be empty

  // "https://host:port", the default port left out: what credentials are bound to.
  std::string origin() const;
  std::string text() const;
};

// Absent for other schemes, missing or odd hosts, control characters, or more than 8 KiB. User
// information is dropped, a fragment too.
std::optional<Url> parse_url(std::string_view text);
// Whether parse_url dropped any from it.
bool has_user_information(std::string_view text);

// `location` of a redirect seen at `base` (RFC 3986 section 5).
std::optional<Url> resolve_url(const Url& base, std::string_view location);

// True when both hosts are equal or share their registrable domain (public suffix list).
bool same_site(const Url& a, const Url& b);

}  // namespace entrepot::http
