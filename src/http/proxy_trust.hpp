// Whose word about the client counts: what X-Forwarded-For, -Proto and -Host of a request mean, and
// from whom they mean anything. Immutable.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "entrepot/http/headers.hpp"
#include "entrepot/http/message.hpp"
#include "entrepot/http/server.hpp"

namespace entrepot::http {

// The other end of a connection.
struct Peer {
  std::optional<boost::asio::ip::address> address;  // absent on a Unix socket
  std::string text;                                 // of it, made once
  bool is_trusted = false;                          // what it forwards is believed
};

class ProxyTrust {
 public:
  // Throws std::invalid_argument for a network that cannot be read.
  explicit ProxyTrust(const TrustedProxies& proxies);

  Peer describe(std::optional<boost::asio::ip::address> address) const;

  // Fills remote, remote_is_loopback and origin of `request`, whose headers and via are set.
  void introduce(Request& request, const Peer& peer) const;

 private:
  using Address = boost::asio::ip::address;
  using Network = std::variant<boost::asio::ip::network_v4, boost::asio::ip::network_v6>;

  bool trusts(const Address& address) const;
  std::optional<Address> forwarded_for(const Headers& headers) const;

  std::vector<Network> networks_;
  bool unix_sockets_ = false;
};

}  // namespace entrepot::http
