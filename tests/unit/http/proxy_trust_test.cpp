#include "http/proxy_trust.hpp"

#include <gtest/gtest.h>

namespace entrepot::http::proxy_trust_test {
namespace {

Request introduced(const ProxyTrust& trust, std::string_view peer,
                   const std::vector<Headers::Field>& fields, Via via = Via::plain) {
  Request request;
  request.via = via;
  request.headers.add("Host", "direct:5000");
  for (const auto& [name, value] : fields) request.headers.add(name, value);
  std::optional<boost::asio::ip::address> address;
  if (!peer.empty()) address = boost::asio::ip::make_address(std::string(peer));
  trust.introduce(request, trust.describe(address));
  return request;
}

struct Case {
  std::string_view what;
  std::string_view peer;
  std::vector<Headers::Field> fields;
  std::string_view remote;
  bool near;
  std::string_view origin;
};

void expect(const ProxyTrust& trust, const std::vector<Case>& cases) {
  for (const auto& each : cases) {
    const auto request = introduced(trust, each.peer, each.fields);
    EXPECT_EQ(request.remote, each.remote) << each.what;
    EXPECT_EQ(request.remote_is_loopback, each.near) << each.what;
    EXPECT_EQ(request.origin, each.origin) << each.what;
  }
}

const std::string for_ = "X-Forwarded-For";
const std::string proto = "X-Forwarded-Proto";
const std::string host = "X-Forwarded-Host";

TEST(ProxyTrust, only_trusted_peers_are_believed) {
  const ProxyTrust trust({.networks = {"127.0.0.1", "10.0.0.0/8", "fd00::/8"}});
  const std::string_view direct = "http://direct:5000";
  expect(
      trust,
      {
          {"direct", "192.0.2.1", {}, "192.0.2.1", false, direct},
          {"direct and near", "127.0.0.1", {}, "127.0.0.1", true, direct},
          {"a lie",
           "192.0.2.1",
           {{for_, "127.0.0.1"}, {proto, "https"}},
           "192.0.2.1",
           false,
           direct},
          {"one proxy", "10.1.2.3", {{for_, "192.0.2.9"}}, "192.0.2.9", false, direct},
          {"a lie before a proxy",
           "10.1.2.3",
           {{for_, "127.0.0.1, 192.0.2.9"}},
           "192.0.2.9",
           false,
           direct},
          {"two proxies",
           "127.0.0.1",
           {{for_, "6.6.6.6, 192.0.2.9,10.9.9.9"}},
           "192.0.2.9",
           false,
           direct},
          {"in two fields",
           "127.0.0.1",
           {{for_, "192.0.2.9"}, {for_, "10.9.9.9"}},
           "192.0.2.9",
           false,
           direct},
          {"only proxies", "10.1.2.3", {{for_, "10.4.4.4, 10.5.5.5"}}, "10.4.4.4", false, direct},
          {"forwarded for a neighbour",
           "10.1.2.3",
           {{for_, "127.0.0.1"}},
           "127.0.0.1",
           true,
           direct},
          {"nonsense", "10.1.2.3", {{for_, "192.0.2.9, unknown"}}, "10.1.2.3", false, direct},
          {"nonsense farther", "10.1.2.3", {{for_, "x, 10.5.5.5"}}, "10.5.5.5", false, direct},
          {"empty", "127.0.0.1", {{for_, ""}}, "127.0.0.1", false, direct},
          {"with a port", "10.1.2.3", {{for_, "192.0.2.9:4711"}}, "192.0.2.9", false, direct},
          {"IPv6", "fd00::1", {{for_, "2001:db8::7"}}, "2001:db8::7", false, direct},
          {"IPv6 with a port",
           "fd00::1",
           {{for_, "[2001:db8::7]:80"}},
           "2001:db8::7",
           false,
           direct},
          {"mapped", "::ffff:10.1.2.3", {{for_, "::ffff:192.0.2.9"}}, "192.0.2.9", false, direct},
          {"https",
           "10.1.2.3",
           {{for_, "192.0.2.9"}, {proto, "https"}, {host, "r.example.org"}},
           "192.0.2.9",
           false,
           "https://r.example.org"},
          {"odd words", "10.1.2.3", {{proto, "gopher"}, {host, "a/b"}}, "10.1.2.3", false, direct},
          {"the nearest word counts",
           "10.1.2.3",
           {{proto, "http, https"}, {host, "evil.example, r.example.org:5"}},
           "10.1.2.3",
           false,
           "https://r.example.org:5"},
      });
}

// A proxy on this host that nobody has told us to trust makes nobody a neighbour.
TEST(ProxyTrust, what_came_through_a_proxy_is_not_near) {
  const ProxyTrust none({});
  for (const auto* header : {"X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via"}) {
    const auto request = introduced(none, "127.0.0.1", {{header, "127.0.0.1"}});
    EXPECT_FALSE(request.remote_is_loopback) << header;
    EXPECT_EQ(request.remote, "127.0.0.1");
  }
  EXPECT_TRUE(introduced(none, "::1", {}).remote_is_loopback);
}

TEST(ProxyTrust, unix_sockets_are_trusted_by_name) {
  const std::vector<Headers::Field> fields = {{for_, "192.0.2.9"}, {proto, "https"}};
  const auto unknown = introduced(ProxyTrust({}), "", fields);
  EXPECT_EQ(unknown.remote, "");
  EXPECT_FALSE(unknown.remote_is_loopback);
  EXPECT_EQ(unknown.origin, "http://direct:5000");
  const auto trusted = introduced(ProxyTrust({.networks = {"unix"}}), "", fields);
  EXPECT_EQ(trusted.remote, "192.0.2.9");
  EXPECT_EQ(trusted.origin, "https://direct:5000");
  EXPECT_TRUE(introduced(ProxyTrust({}), "", {}, Via::control_socket).remote_is_loopback);
  EXPECT_EQ(introduced(ProxyTrust({}), "1.2.3.4", {}, Via::tls).origin, "https://direct:5000");
}

TEST(ProxyTrust, a_network_that_cannot_be_read_is_refused) {
  for (const auto* text :
       {"", "10.0.0.0/33", "10.0.0.0/", "proxy.example.org", "fd00::/129", "/8"}) {
    EXPECT_THROW(ProxyTrust({.networks = {text}}), std::invalid_argument) << text;
  }
}

}  // namespace
}  // namespace entrepot::http::proxy_trust_test
