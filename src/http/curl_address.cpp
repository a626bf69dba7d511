#include "http/curl_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "entrepot/base/units.hpp"
#include "entrepot/http/headers.hpp"

namespace entrepot::http {
namespace {

using Address = std::array<unsigned char, 16>;  // IPv4 stands in the first four

struct Block {
  int family;
  Address start;
  unsigned bits;
};

bool contains(const Block& block, const Address& address) {
  const unsigned whole = block.bits / 8;
  const unsigned rest = block.bits % 8;
  if (!std::equal(address.begin(), address.begin() + whole, block.start.begin())) return false;
  if (rest == 0) return true;
  const auto mask = static_cast<unsigned char>(0xff << (8 - rest));
  return (address[whole] & mask) == (block.start[whole] & mask);
}

// RFC 6890 and its registries: whatever is not globally reachable unicast.
constexpr std::array internal_v4 = {
    Block{AF_INET, {0}, 8},              // this network
    Block{AF_INET, {10}, 8},             // private
    Block{AF_INET, {100, 64}, 10},       // shared (CGNAT)
    Block{AF_INET, {127}, 8},            // loopback
    Block{AF_INET, {169, 254}, 16},      // link-local: cloud metadata
    Block{AF_INET, {172, 16}, 12},       // private
    Block{AF_INET, {192, 0, 0}, 24},     // protocol assignments
    Block{AF_INET, {192, 0, 2}, 24},     // documentation
    Block{AF_INET, {192, 88, 99}, 24},   // 6to4 relays
    Block{AF_INET, {192, 168}, 16},      // private
    Block{AF_INET, {198, 18}, 15},       // benchmarking
    Block{AF_INET, {198, 51, 100}, 24},  // documentation
    Block{AF_INET, {203, 0, 113}, 24},   // documentation
    Block{AF_INET, {224}, 3},            // multicast, reserved, broadcast
};

constexpr Block global_unicast_v6{AF_INET6, {0x20}, 3};  // 2000::/3
constexpr std::array internal_v6 = {
    Block{AF_INET6, {0x20, 0x01}, 23},              // protocol assignments, Teredo among them
    Block{AF_INET6, {0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    Block{AF_INET6, {0x3f, 0xff}, 20},              // documentation
};
// Blocks whose addresses carry an IPv4 address: at which byte it stands.
struct Carrier {
  Block block;
  std::size_t at;
};
constexpr std::array carriers = {
    Carrier{{AF_INET6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12},  // mapped
    Carrier{{AF_INET6, {0, 0x64, 0xff, 0x9b}, 96}, 12},                       // NAT64
    Carrier{{AF_INET6, {0x20, 0x02}, 16}, 2},                                 // 6to4
};

template <class Blocks>
bool any_contains(const Blocks& blocks, const Address& address) {
  return std::ranges::any_of(blocks, [&](const Block& each) { return contains(each, address); });
}

Reach reach_v4(const Address& address) {
  return any_contains(internal_v4, address) ? Reach::internal : Reach::open;
}

Reach reach_v6(const Address& address) {
  for (const auto& carrier : carriers) {
    if (!contains(carrier.block, address)) continue;
    Address inner{};
    std::copy_n(address.begin() + static_cast<std::ptrdiff_t>(carrier.at), 4, inner.begin());
    return reach_v4(inner);
  }
  if (!contains(global_unicast_v6, address)) return Reach::internal;
  return any_contains(internal_v6, address) ? Reach::internal : Reach::open;
}

struct Literal {
  int family;
  Address address;
};

std::optional<Literal> parse_literal(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  const std::string text(host);
  Literal literal{AF_INET, {}};
  if (inet_pton(AF_INET, text.c_str(), literal.address.data()) == 1) return literal;
  literal.family = AF_INET6;
  if (inet_pton(AF_INET6, text.c_str(), literal.address.data()) == 1) return literal;
  return std::nullopt;
}

std::optional<Block> parse_block(std::string_view entry) {
  const auto slash = entry.find('/');
  const auto literal = parse_literal(entry.substr(0, slash));
  if (!literal) return std::nullopt;
  const unsigned width = literal->family == AF_INET ? 32 : 128;
  if (slash == std::string_view::npos) return Block{literal->family, literal->address, width};
  const auto bits = base::parse_unsigned(entry.substr(slash + 1));
  if (!bits || *bits > width) return std::nullopt;
  return Block{literal->family, literal->address, static_cast<unsigned>(*bits)};
}

bool below(std::string_view host, std::string_view domain) {
  if (!domain.empty() && domain.front() == '.') domain.remove_prefix(1);
  if (domain.empty() || host.size() < domain.size()) return false;
  if (!equals_ignoring_case(host.substr(host.size() - domain.size()), domain)) return false;
  return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

bool entry_matches(std::string_view entry, std::string_view host,
                   const std::optional<Literal>& literal) {
  if (entry == "*") return true;
  if (!literal) return below(host, entry);
  const auto block = parse_block(entry);
  return block && block->family == literal->family && contains(*block, literal->address);
}

}  // namespace

Reach reach_of(const sockaddr* address) {
  Address bytes{};
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    std::memcpy(bytes.data(), &v4.sin_addr, 4);
    return reach_v4(bytes);
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    std::memcpy(bytes.data(), &v6.sin6_addr, 16);
    return reach_v6(bytes);
  }
  return Reach::internal;
}

std::optional<Reach> reach_of_host(std::string_view host) {
  if (below(host, "localhost")) return Reach::internal;
  const auto literal = parse_literal(host);
  if (!literal) return std::nullopt;
  return literal->family == AF_INET ? reach_v4(literal->address) : reach_v6(literal->address);
}

Way way_to(std::string_view host, std::string_view no_proxy) {
  const auto literal = parse_literal(host);
  constexpr std::string_view separators = ", \t";
  while (!no_proxy.empty()) {
    const auto end = no_proxy.find_first_of(separators);
    if (entry_matches(no_proxy.substr(0, end), host, literal)) return Way::direct;
    if (end == std::string_view::npos) break;
    no_proxy.remove_prefix(end + 1);
  }
  return Way::by_proxy;
}

}  // namespace entrepot::http
