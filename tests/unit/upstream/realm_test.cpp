#include "upstream/realm.hpp"

#include <gtest/gtest.h>

namespace entrepot::upstream::realm_test {
namespace {

struct Case {
  const char* upstream;
  const char* realm;
  Trust trust;
};

// Rows: U-01
TEST(Realm, only_the_upstreams_own_site_or_a_listed_one_is_trusted) {
  const std::vector trusted = {*http::parse_url("https://auth.partner.example/ignored")};
  const Case cases[] = {
      {"https://registry-1.docker.io", "https://auth.docker.io/token", Trust::same_site},
      {"https://ghcr.io", "https://ghcr.io/token", Trust::same_origin},
      {"https://registry.gitlab.com", "https://gitlab.com/jwt/auth", Trust::same_site},
      {"https://registry.example:5000", "https://registry.example/token", Trust::same_site},
      {"https://registry.example", "https://evil.example.net/token", Trust::none},
      {"https://registry.example", "http://registry.example/token", Trust::none},
      {"http://registry.example", "http://auth.registry.example/token", Trust::none},
      {"http://registry.example", "https://registry.example/token", Trust::none},
      {"http://127.0.0.1:5000", "http://127.0.0.1:5000/token", Trust::same_origin},
      {"http://127.0.0.1:5000", "http://127.0.0.1:5001/token", Trust::none},
      {"https://127.0.0.1", "https://127.0.0.2/token", Trust::none},
      {"https://me.github.io", "https://you.github.io/token", Trust::none},
      {"https://registry.example", "https://auth.partner.example/token", Trust::listed},
      {"https://registry.example", "https://auth.partner.example:444/token", Trust::none},
      {"https://registry.example", "http://auth.partner.example/token", Trust::none},
  };
  for (const auto& each : cases)
    EXPECT_EQ(trust_in(*http::parse_url(each.realm), *http::parse_url(each.upstream), trusted),
              each.trust)
        << each.upstream << " " << each.realm;
}

struct AnonymousCase {
  const char* upstream;
  const char* realm;
  Verdict anonymous;
};

// Rows: U-01
TEST(Realm, without_a_secret_any_may_be_asked_but_not_over_a_weaker_connection) {
  const AnonymousCase cases[] = {
      {"https://registry.example", "https://tokens.example.net/token", Verdict::ask},
      {"https://registry.example", "http://tokens.example.net/token", Verdict::refuse},
      {"https://registry.example", "http://registry.example/token", Verdict::refuse},
      {"http://127.0.0.1:5000", "http://127.0.0.1:5001/token", Verdict::ask},
      {"http://127.0.0.1:5000", "https://tokens.example.net/token", Verdict::ask},
  };
  for (const auto& each : cases) {
    const auto upstream = *http::parse_url(each.upstream);
    const auto realm = *http::parse_url(each.realm);
    EXPECT_EQ(may_ask(realm, upstream, {}, Secret::none), each.anonymous) << each.realm;
    EXPECT_EQ(may_ask(realm, upstream, {}, Secret::ours), Verdict::refuse) << each.realm;
  }
}

TEST(Realm, bearer_is_chosen_before_basic) {
  http::Headers headers;
  headers.add("WWW-Authenticate", "Basic realm=\"x\"");
  headers.add("WWW-Authenticate", "Bearer realm=\"https://a/token\",service=\"s\"");
  const auto chosen = choose_challenge(headers);
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->scheme, "bearer");
  EXPECT_EQ(chosen->parameter("service"), "s");
}

TEST(Realm, a_bearer_without_realm_is_no_challenge) {
  http::Headers headers;
  headers.add("WWW-Authenticate", "Bearer service=\"s\"");
  EXPECT_FALSE(choose_challenge(headers));
  headers.add("WWW-Authenticate", "Negotiate");
  EXPECT_FALSE(choose_challenge(headers));
  headers.add("WWW-Authenticate", "Basic realm=\"x\"");
  EXPECT_EQ(choose_challenge(headers)->scheme, "basic");
}

}  // namespace
}  // namespace entrepot::upstream::realm_test
