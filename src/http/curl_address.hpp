// Which addresses somebody else may send us to (reliability.md U-07, U-08). Pure.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string_view>

namespace entrepot::http {

enum class Reach {
  open,      // an address of the public Internet
  internal,  // loopback, private, link-local, shared, multicast, reserved, or one hiding such
};

// Anything but IPv4 and IPv6 is internal.
Reach reach_of(const sockaddr* address);

// For hosts written as an address (IPv6 in brackets); absent for names, except localhost.
std::optional<Reach> reach_of_host(std::string_view host);

// Whether `host` goes past the proxy: entries of `no_proxy` are separated by commas or blanks; "*"
// is everything, an address or CIDR block matches literals, a name itself and what lies below it.
enum class Way { direct, by_proxy };
Way way_to(std::string_view host, std::string_view no_proxy);

}  // namespace entrepot::http
