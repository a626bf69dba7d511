// The sections about our own repositories, as they arrive in Config.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_reader.hpp"
#include "config_files.hpp"

namespace entrepot::app::registry_sections_test {
namespace {

using auth::Right;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::ConfigFiles;
using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;
using Kind = auth::Subject::Kind;

Config read(const ConfigFiles& files, std::string_view text) {
  return read_config(files.write("config.yaml", text));
}

TEST(ListenSection, strings_maps_and_unix_sockets) {
  const ConfigFiles files;
  for (const auto name : {"c.pem", "k.pem", "ca.pem"}) files.write(name, "x");
  const auto config = read(files, R"(
listen:
  - "127.0.0.1:5000"
  - unix:/run/entrepot.sock
  - {address: "[::]:443", tls: {certificate: c.pem, key: k.pem, client_ca: ca.pem, clients: must_present}}
external_url: https://Registry.example:443/
trusted_proxies: ["127.0.0.1", "10.0.0.0/8", "fd00::/8", unix]
)");
  ASSERT_EQ(config.listen.size(), 3U);
  EXPECT_EQ(config.listen[1].address, "unix:/run/entrepot.sock");
  EXPECT_FALSE(config.listen[0].tls);
  const auto& tls = config.listen[2].tls.value();
  EXPECT_EQ(tls.certificate, files.place() / "c.pem");
  EXPECT_EQ(tls.key, files.place() / "k.pem");
  EXPECT_EQ(tls.client_ca, files.place() / "ca.pem");
  EXPECT_EQ(tls.clients, http::TlsOptions::Clients::must_present);
  EXPECT_EQ(config.external_url, "https://registry.example");
  EXPECT_THAT(config.trusted_proxies.networks,
              ElementsAre("127.0.0.1", "10.0.0.0/8", "fd00::/8", "unix"));
}

TEST(AccessSection, every_key_arrives) {
  const ConfigFiles files;
  files.write("users", "x");
  files.write("jwks.json", "{}");
  const auto access = read(files, R"(
access:
  htpasswd: users
  groups: {developers: [alice, bob]}
  rules:
    - {who: anonymous, repositories: ["**"], may: [pull]}
    - {who: [group:developers, everyone, carol], repositories: ["team/**"], may: [create, delete]}
    - {who: root, repositories: ["**"], may: admin}
  tokens: {service: s, issuer: i, lifetime: 10m, key: token.key}
  issuers: [{issuer: "https://i", audience: a, keys: jwks.json, realm: "https://i/auth"}]
)")
                          .access;
  EXPECT_EQ(access.htpasswd, (files.place() / "users").string());
  ASSERT_EQ(access.groups.size(), 1U);
  EXPECT_THAT(access.groups[0].members, ElementsAre("alice", "bob"));
  ASSERT_EQ(access.rules.value().size(), 3U);
  const auto& rules = *access.rules;
  EXPECT_EQ(rules[0].who[0].kind, Kind::anonymous);
  EXPECT_EQ(rules[1].who[0].kind, Kind::group);
  EXPECT_EQ(rules[1].who[0].name, "developers");
  EXPECT_EQ(rules[1].who[1].kind, Kind::everyone);
  EXPECT_EQ(rules[1].who[2].kind, Kind::user);
  EXPECT_EQ(rules[1].who[2].name, "carol");
  EXPECT_THAT(rules[1].repositories, ElementsAre("team/**"));
  EXPECT_EQ(rules[1].may, Right::create | Right::remove);
  EXPECT_EQ(rules[2].may, auth::Rights(Right::admin));
  EXPECT_EQ(access.tokens.service, "s");
  EXPECT_EQ(access.tokens.issuer, "i");
  EXPECT_EQ(access.tokens.lifetime, minutes(10));
  EXPECT_EQ(access.tokens.key, files.place() / "token.key");
  ASSERT_EQ(access.issuers.size(), 1U);
  EXPECT_EQ(access.issuers[0].realm, "https://i/auth");
}

TEST(RegistrySection, every_key_arrives) {
  const ConfigFiles files;
  const auto config = read(files, R"(
registry:
  delete: false
  read_only: true
  immutable: [{repositories: ["prod/**"], tags: ["v*"]}]
  missing: allow_children
  uploads: {expire: 2h, per_user: 3, total: 4}
  quotas: [{repositories: ["team/**"], bytes: 100GiB, tags: 1000, uploads: 20}]
history: {keep: 5d}
collect: {every: 0, grace: 10m, delete_untagged: true, trash: 1h, lease: 30s}
)");
  const auto& policy = config.registry.policy;
  EXPECT_EQ(policy.deletion, registry::Deletion::refused);
  EXPECT_EQ(config.registry.read_only, ReadOnly::yes);
  EXPECT_THAT(policy.immutable.at(0).tags, ElementsAre("v*"));
  EXPECT_EQ(policy.missing, registry::MissingContent::allow_children);
  EXPECT_EQ(policy.uploads.expire, hours(2));
  EXPECT_EQ(policy.uploads.per_principal, 3U);
  EXPECT_EQ(policy.uploads.total, 4U);
  EXPECT_EQ(policy.quotas.at(0).bytes, 100ULL << 30);
  EXPECT_EQ(policy.quotas.at(0).tags, 1000U);
  EXPECT_EQ(policy.quotas.at(0).uploads, 20U);
  EXPECT_EQ(config.collect.every, seconds(0));
  EXPECT_EQ(config.collect.lease, seconds(30));
  EXPECT_EQ(config.collect.options.grace, minutes(10));
  EXPECT_EQ(config.collect.options.trash, hours(1));
  EXPECT_EQ(config.collect.options.history, hours(5 * 24));
  EXPECT_EQ(config.collect.options.untagged, upkeep::Untagged::remove);
}

TEST(Notifications, every_key_arrives) {
  const ConfigFiles files;
  files.write("secret", "s3cret\n");
  files.write("ca.pem", "x");
  const auto receivers = read(files, R"(
notifications:
  - name: ci
    url: https://ci.example/hook?x=1
    secret_file: secret
    headers: {X-Site: berlin, Authorization: "Bearer x"}
    events: [push, delete, tag]
    repositories: ["team/**"]
    timeout: 2s
    ca: ca.pem
    keep: 1d
  - {name: all, url: http://127.0.0.1:1}
)")
                             .receivers;
  using enum index::EventKind;
  ASSERT_EQ(receivers.size(), 2U);
  EXPECT_EQ(receivers[0].name, "ci");
  EXPECT_EQ(receivers[0].url, "https://ci.example/hook?x=1");
  EXPECT_EQ(receivers[0].secret, "s3cret");
  EXPECT_THAT(receivers[0].headers,
              ElementsAre(Pair("X-Site", "berlin"), Pair("Authorization", "Bearer x")));
  EXPECT_THAT(receivers[0].events, UnorderedElementsAre(push, removal, tag_moved));
  EXPECT_THAT(receivers[0].repositories, ElementsAre("team/**"));
  EXPECT_EQ(receivers[0].keep, hours(24));
  EXPECT_EQ(receivers[0].transport->total, seconds(2));
  EXPECT_EQ(receivers[0].transport->ca_file, (files.place() / "ca.pem").string());
  EXPECT_THAT(receivers[1].events, UnorderedElementsAre(push, pull, removal, tag_moved, mount));
  EXPECT_TRUE(receivers[1].secret.empty());
}

}  // namespace
}  // namespace entrepot::app::registry_sections_test
