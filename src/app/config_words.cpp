#include "app/config_words.hpp"

#include <sys/un.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <cctype>
#include <limits>

#include "entrepot/base/units.hpp"
#include "entrepot/http/url.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::app {
namespace {

constexpr std::string_view unix_prefix = "unix:";

bool is_port(std::string_view text) {
  const auto port = base::parse_unsigned(text);
  return port && *port <= std::numeric_limits<std::uint16_t>::max();
}

}  // namespace

std::optional<base::log::Level> parse_level(std::string_view word) {
  using enum base::log::Level;
  if (word == "trace") return trace;
  if (word == "debug") return debug;
  if (word == "info") return info;
  if (word == "warn") return warn;
  if (word == "error") return error;
  return std::nullopt;
}

std::optional<base::log::Format> parse_format(std::string_view word) {
  if (word == "text") return base::log::Format::text;
  if (word == "json") return base::log::Format::json;
  return std::nullopt;
}

bool is_unix_address(std::string_view text) { return text.starts_with(unix_prefix); }

bool is_listen_address(std::string_view text) {
  if (is_unix_address(text)) {
    const auto path = text.substr(unix_prefix.size());
    return path.starts_with('/') && path.size() < sizeof(sockaddr_un{}.sun_path);
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1))) return false;
  auto host = text.substr(0, colon);
  boost::system::error_code ec;
  if (host.starts_with('[') && host.ends_with(']')) {
    boost::asio::ip::make_address_v6(host.substr(1, host.size() - 2), ec);
  } else {
    boost::asio::ip::make_address_v4(host, ec);
  }
  return !ec;
}

bool is_network(std::string_view text) {
  if (text == "unix") return true;
  boost::system::error_code ec;
  if (text.find('/') == std::string_view::npos) {
    boost::asio::ip::make_address(text, ec);
    return !ec;
  }
  boost::asio::ip::make_network_v4(text, ec);
  if (ec) boost::asio::ip::make_network_v6(text, ec);
  return !ec;
}

bool is_header_name(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [marks](const unsigned char c) {
    return (c < 0x80 && std::isalnum(c)) || marks.find(static_cast<char>(c)) != marks.npos;
  });
}

bool is_upstream_name(std::string_view text) {
  const auto name = oci::RepositoryName::parse(text);
  return name && name->has_single_component() && text != "v2";
}

bool is_alias(std::string_view text) {
  const auto url = http::parse_url("https://" + std::string(text) + "/");
  if (!url || text.find_first_of("/@?#") != std::string_view::npos) return false;
  return text == url->host || text.starts_with(url->host + ':');
}

std::string fault_of_url(std::string_view text) {
  const auto url = http::parse_url(text);
  if (!url) return "expected an http:// or https:// URL";
  if (http::has_user_information(text)) {
    return "a URL may hold no user name or password: use username and password_file";
  }
  if (!url->query.empty() || text.find('#') != std::string_view::npos) {
    return "a URL of an upstream has no query and no fragment";
  }
  return {};
}

}  // namespace entrepot::app
