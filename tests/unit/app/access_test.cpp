#include "app/access.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace entrepot::app::access_test {
namespace {

using auth::Right;
using Kind = auth::Subject::Kind;

bool allows(const auth::GateOptions& options, Kind who, Right right) {
  for (const auto& rule : options.rules) {
    for (const auto& subject : rule.who) {
      if (subject.kind == who && rule.may.allow(right)) return true;
    }
  }
  return false;
}

TEST(Access, without_a_word_anybody_pulls_and_nobody_pushes) {
  const auto options = gate_options(Config{});
  for (const auto who : {Kind::anonymous, Kind::everyone}) {
    EXPECT_TRUE(allows(options, who, Right::pull));
    EXPECT_FALSE(allows(options, who, Right::create));
    EXPECT_FALSE(allows(options, who, Right::remove));
  }
  EXPECT_TRUE(options.tokens.realm.empty());
}

TEST(Access, users_may_push_and_nobody_else_may_anything) {
  Config config;
  config.access.htpasswd = "/users";
  const auto options = gate_options(config);
  EXPECT_EQ(options.htpasswd, "/users");
  EXPECT_TRUE(allows(options, Kind::everyone, Right::push));
  EXPECT_TRUE(allows(options, Kind::everyone, Right::remove));
  EXPECT_FALSE(allows(options, Kind::everyone, Right::admin));
  EXPECT_FALSE(allows(options, Kind::anonymous, Right::pull));
}

TEST(Access, rules_that_were_written_are_all_there_is) {
  Config config;
  config.access.htpasswd = "/users";
  config.access.rules.emplace();
  EXPECT_TRUE(gate_options(config).rules.empty());
}

TEST(Access, a_trusted_issuer_alone_leaves_nothing_to_nobody) {
  Config config;
  config.access.issuers.push_back({"https://i", "a", "/keys", ""});
  EXPECT_TRUE(gate_options(config).rules.empty());
}

TEST(Access, token_server_needs_users_and_an_external_url) {
  Config config;
  config.data = "/data";
  config.external_url = "https://registry.example:8443";
  EXPECT_TRUE(gate_options(config).tokens.realm.empty());
  config.access.htpasswd = "/users";
  auto tokens = gate_options(config).tokens;
  EXPECT_EQ(tokens.realm, "https://registry.example:8443/token");
  EXPECT_EQ(tokens.service, "registry.example");
  EXPECT_EQ(tokens.issuer, "entrepot");
  EXPECT_EQ(tokens.key, "/data/token.key");
  EXPECT_EQ(tokens.lifetime, std::chrono::minutes(5));
  config.access.tokens.service = "s";
  config.access.tokens.key = "/key";
  tokens = gate_options(config).tokens;
  EXPECT_EQ(tokens.service, "s");
  EXPECT_EQ(tokens.key, "/key");
}

}  // namespace
}  // namespace entrepot::app::access_test
