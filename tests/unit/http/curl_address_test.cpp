#include "http/curl_address.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

namespace entrepot::http::curl_address_test {
namespace {

Reach reach(const std::string& text) {
  sockaddr_storage storage{};
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    std::memcpy(&storage, &v4, sizeof v4);
  } else if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    std::memcpy(&storage, &v6, sizeof v6);
  }
  return reach_of(reinterpret_cast<const sockaddr*>(&storage));
}

// Rows: U-07
TEST(CurlAddress, keeps_internal_addresses_apart) {
  for (const char* text : {"0.0.0.0",
                           "0.1.2.3",
                           "10.0.0.1",
                           "100.64.0.1",
                           "100.127.255.255",
                           "127.0.0.1",
                           "127.255.255.254",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.1",
                           "192.168.1.1",
                           "198.18.0.1",
                           "198.19.255.255",
                           "192.0.2.1",
                           "198.51.100.1",
                           "203.0.113.7",
                           "224.0.0.1",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "fe80::1",
                           "fc00::1",
                           "fd12:3456::1",
                           "ff02::1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "::ffff:169.254.169.254",
                           "64:ff9b::7f00:1",
                           "2002:7f00:1::",
                           "2001:db8::1",
                           "2001::1",
                           "fec0::1",
                           "100::1",
                           "::127.0.0.1",
                           "unix"})
    EXPECT_EQ(reach(text), Reach::internal) << text;
  for (const char* text : {"1.1.1.1",
                           "8.8.8.8",
                           "9.255.255.255",
                           "11.0.0.1",
                           "100.63.255.255",
                           "100.128.0.1",
                           "126.255.255.255",
                           "128.0.0.1",
                           "172.15.255.255",
                           "172.32.0.1",
                           "192.167.255.255",
                           "198.17.255.255",
                           "198.20.0.1",
                           "223.255.255.255",
                           "2606:4700::1111",
                           "2a00::1",
                           "2001:4860:4860::8888",
                           "::ffff:8.8.8.8",
                           "64:ff9b::808:808",
                           "2002:808:808::"})
    EXPECT_EQ(reach(text), Reach::open) << text;
}

// Rows: U-07
TEST(CurlAddress, judges_hosts_written_as_an_address) {
  EXPECT_EQ(reach_of_host("127.0.0.1"), Reach::internal);
  EXPECT_EQ(reach_of_host("[::1]"), Reach::internal);
  EXPECT_EQ(reach_of_host("[2606:4700::1111]"), Reach::open);
  EXPECT_EQ(reach_of_host("8.8.8.8"), Reach::open);
  EXPECT_EQ(reach_of_host("localhost"), Reach::internal);
  EXPECT_EQ(reach_of_host("a.localhost"), Reach::internal);
  EXPECT_FALSE(reach_of_host("docker.io"));
}

struct ProxyCase {
  const char* host;
  const char* no_proxy;
  Way way;
};

TEST(CurlAddress, no_proxy_names_hosts_domains_and_blocks) {
  const ProxyCase cases[] = {
      {"registry.corp", "", Way::by_proxy},
      {"registry.corp", "*", Way::direct},
      {"registry.corp", "corp", Way::direct},
      {"registry.corp", ".corp", Way::direct},
      {"registry.corp", "registry.corp", Way::direct},
      {"registry.corp", "other, registry.corp", Way::direct},
      {"registry.corp", "Registry.Corp", Way::direct},
      {"registry.corp", ".CORP", Way::direct},
      {"[fd00::1]", "FD00::/8", Way::direct},
      {"evilcorp", "Corp", Way::by_proxy},
      {"evilcorp", "corp", Way::by_proxy},
      {"registry.corp.evil", ".corp", Way::by_proxy},
      {"10.1.2.3", "10.0.0.0/8", Way::direct},
      {"11.1.2.3", "10.0.0.0/8,.corp", Way::by_proxy},
      {"10.1.2.3", "10.1.2.3", Way::direct},
      {"10.1.2.3", "10.1.2.0/33", Way::by_proxy},
      {"[fd00::1]", "fd00::/8", Way::direct},
      {"[fd00::1]", "10.0.0.0/8", Way::by_proxy},
      {"10.1.2.3", ".3", Way::by_proxy},
  };
  for (const auto& each : cases)
    EXPECT_EQ(way_to(each.host, each.no_proxy), each.way) << each.host << " " << each.no_proxy;
}

}  // namespace
}  // namespace entrepot::http::curl_address_test
