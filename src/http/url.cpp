#include "entrepot/http/url.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <libpsl.h>

#include <algorithm>
#include <memory>

#include "entrepot/base/units.hpp"

namespace entrepot::http {
namespace {

constexpr std::size_t longest_url = 8 * 1024;

struct FreeHandle {
  void operator()(CURLU* handle) const { curl_url_cleanup(handle); }
};
using Handle = std::unique_ptr<CURLU, FreeHandle>;

// Null when it is no URL. Dot segments stay: a signed address must be asked for exactly as it was
// given.
Handle parse(std::string_view text) {
  Handle handle(curl_url());
  if (curl_url_set(handle.get(), CURLUPART_URL, std::string(text).c_str(), CURLU_PATH_AS_IS) !=
      CURLUE_OK)
    return nullptr;
  return handle;
}

std::optional<std::string> part(const Handle& handle, CURLUPart what, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle.get(), what, &text, flags) != CURLUE_OK) return std::nullopt;
  std::string copy(text);
  curl_free(text);
  return copy;
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return text;
}

bool plain_host(std::string_view host) {
  if (host.empty() || host.size() > 253 || host.front() == '.' || host.back() == '.') return false;
  if (host.front() == '[') return host.back() == ']';
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

std::optional<Url> read(const Handle& handle) {
  if (part(handle, CURLUPART_ZONEID)) return std::nullopt;
  const auto scheme = part(handle, CURLUPART_SCHEME);
  const auto host = part(handle, CURLUPART_HOST);
  const auto port = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if (!scheme || !host || !port) return std::nullopt;
  if (*scheme != "http" && *scheme != "https") return std::nullopt;
  Url url;
  url.scheme = *scheme;
  url.host = lower(*host);
  const auto number = base::parse_unsigned(*port);
  if (!plain_host(url.host) || !number || *number == 0 || *number > 65535) return std::nullopt;
  url.port = static_cast<std::uint16_t>(*number);
  url.path = part(handle, CURLUPART_PATH).value_or("/");
  url.query = part(handle, CURLUPART_QUERY).value_or("");
  return url;
}

bool is_ip_literal(const std::string& host) {
  if (host.front() == '[') return true;
  in_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1;
}

// The part of a name its owner registered: "example.co.uk" of "a.b.example.co.uk". Absent for a
// public suffix itself, and for names no suffix list knows anything of (a single label).
std::optional<std::string> registrable_domain(const std::string& host) {
  const psl_ctx_t* list = psl_builtin();
  if (list == nullptr) return std::nullopt;
  const char* domain = psl_registrable_domain(list, host.c_str());
  if (domain == nullptr) return std::nullopt;
  return std::string(domain);
}

}  // namespace

std::string Url::origin() const {
  const bool default_port = port == (scheme == "https" ? 443 : 80);
  std::string text = scheme + "://" + host;
  if (!default_port) text += ":" + std::to_string(port);
  return text;
}

std::string Url::text() const {
  return query.empty() ? origin() + path : origin() + path + "?" + query;
}

std::optional<Url> parse_url(std::string_view text) {
  if (text.size() > longest_url || has_control_character(text)) return std::nullopt;
  const auto handle = parse(text);
  return handle ? read(handle) : std::nullopt;
}

bool has_user_information(std::string_view text) {
  const auto handle = parse(text);
  return handle && (part(handle, CURLUPART_USER) || part(handle, CURLUPART_PASSWORD));
}

std::optional<Url> resolve_url(const Url& base, std::string_view location) {
  if (location.empty() || location.size() > longest_url || has_control_character(location))
    return std::nullopt;
  const Handle handle(curl_url());
  const auto set = [&handle](const std::string& url, unsigned flags) {
    return curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), flags) == CURLUE_OK;
  };
  if (!set(base.text(), CURLU_PATH_AS_IS)) return std::nullopt;
  if (!set(std::string(location), CURLU_PATH_AS_IS | CURLU_URLENCODE)) return std::nullopt;
  return read(handle);
}

bool same_site(const Url& a, const Url& b) {
  if (a.host == b.host) return true;
  if (is_ip_literal(a.host) || is_ip_literal(b.host)) return false;
  const auto domain = registrable_domain(a.host);
  return domain && domain == registrable_domain(b.host);
}

}  // namespace entrepot::http
