#include "http/proxy_trust.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "http/gate.hpp"
#include "http/scan.hpp"

namespace entrepot::http {

namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t most_hops = 32;

// An IPv4 address that came through an IPv6 socket is still that IPv4 address.
ip::address plain(ip::address address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return ip::make_address_v4(ip::v4_mapped, address.to_v6());
}

// As proxies write it: bare, or with a port; IPv6 with a port in brackets.
std::optional<ip::address> parse_hop(std::string_view text) {
  text = trim_blanks(text);
  if (text.starts_with('[')) {
    text = text.substr(1, std::min(text.find(']'), text.size()) - 1);
  } else if (std::ranges::count(text, ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  boost::system::error_code ec;
  const auto address = ip::make_address(std::string(text), ec);
  if (ec) return std::nullopt;
  return plain(address);
}

// Several fields of one name are one list (RFC 9110 section 5.3); the last element is the nearest.
std::vector<std::string_view> elements(const Headers& headers, std::string_view name) {
  std::vector<std::string_view> found;
  for (auto value : headers.all(name)) {
    for (;;) {
      const auto comma = std::min(value.find(','), value.size());
      found.push_back(trim_blanks(value.substr(0, comma)));
      if (comma == value.size()) break;
      value.remove_prefix(comma + 1);
    }
  }
  return found;
}

std::string_view last_element(const Headers& headers, std::string_view name) {
  const auto all = elements(headers, name);
  return all.empty() ? std::string_view() : all.back();
}

bool was_forwarded(const Headers& headers) {
  static constexpr std::array<std::string_view, 5> traces = {
      "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "Via"};
  return std::ranges::any_of(
      traces, [&headers](std::string_view name) { return headers.get(name).has_value(); });
}

std::string origin_of(const Request& request, bool believe_forwarded) {
  std::string_view scheme = request.via == Via::tls ? "https" : "http";
  std::string_view host = request.headers.get("Host").value_or("");
  if (believe_forwarded) {
    const auto proto = last_element(request.headers, "X-Forwarded-Proto");
    if (equals_ignoring_case(proto, "https")) scheme = "https";
    if (equals_ignoring_case(proto, "http")) scheme = "http";
    const auto forwarded = last_element(request.headers, "X-Forwarded-Host");
    if (is_authority(forwarded)) host = forwarded;
  }
  return host.empty() ? std::string() : std::string(scheme).append("://").append(host);
}

}  // namespace

ProxyTrust::ProxyTrust(const TrustedProxies& proxies) {
  for (const auto& text : proxies.networks) {
    if (text == "unix") {
      unix_sockets_ = true;
      continue;
    }
    const bool has_length = text.contains('/');
    boost::system::error_code bad4;
    boost::system::error_code bad6;
    const auto v4 = ip::make_network_v4(has_length ? text : text + "/32", bad4);
    const auto v6 = ip::make_network_v6(has_length ? text : text + "/128", bad6);
    if (bad4 && bad6) throw std::invalid_argument("not an address or network: " + text);
    if (!bad4) networks_.emplace_back(v4.canonical());
    if (bad4) networks_.emplace_back(v6.canonical());
  }
}

bool ProxyTrust::trusts(const Address& address) const {
  return std::ranges::any_of(networks_, [&address](const Network& network) {
    if (const auto* v4 = std::get_if<ip::network_v4>(&network)) {
      if (!address.is_v4()) return false;
      return ip::network_v4(address.to_v4(), v4->prefix_length()).canonical() == *v4;
    }
    const auto& v6 = std::get<ip::network_v6>(network);
    if (!address.is_v6()) return false;
    return ip::network_v6(address.to_v6(), v6.prefix_length()).canonical() == v6;
  });
}

Peer ProxyTrust::describe(std::optional<Address> address) const {
  if (!address) return {.address = {}, .text = {}, .is_trusted = unix_sockets_};
  const auto known = plain(*address);
  return {.address = known, .text = known.to_string(), .is_trusted = trusts(known)};
}

// The nearest address that is not itself a trusted proxy's; the farthest one when all are. What
// stands beyond something unreadable was written by nobody we trust.
std::optional<ip::address> ProxyTrust::forwarded_for(const Headers& headers) const {
  auto hops = elements(headers, "X-Forwarded-For");
  if (hops.size() > most_hops) {
    hops.erase(hops.begin(), hops.end() - static_cast<std::ptrdiff_t>(most_hops));
  }
  std::optional<Address> client;
  while (!hops.empty()) {
    const auto hop = parse_hop(hops.back());
    if (!hop) return client;
    client = hop;
    if (!trusts(*hop)) return client;
    hops.pop_back();
  }
  return client;
}

void ProxyTrust::introduce(Request& request, const Peer& peer) const {
  request.origin = origin_of(request, peer.is_trusted);
  const bool near =
      request.via == Via::control_socket || (peer.address && peer.address->is_loopback());
  const bool forwarded = (near || peer.is_trusted) && was_forwarded(request.headers);
  request.remote = peer.text;
  request.remote_is_loopback = near && !forwarded;
  if (!forwarded || !peer.is_trusted) return;
  const auto client = forwarded_for(request.headers);
  if (!client) return;
  request.remote = client->to_string();
  request.remote_is_loopback = client->is_loopback();
}

}  // namespace entrepot::http
