#include "upstream/token.hpp"

#include <gtest/gtest.h>

#include "support/manual_clock.hpp"
#include "upstream/token_cache.hpp"

namespace entrepot::upstream::token_test {
namespace {

using namespace std::chrono_literals;

struct LifetimeCase {
  const char* member;
  std::chrono::seconds lifetime;
};

// Rows: U-14
TEST(Token, believes_no_absurd_lifetime) {
  const LifetimeCase cases[] = {
      {"", 60s},
      {",\"expires_in\":300", 300s},
      {",\"expires_in\":0", 60s},
      {",\"expires_in\":-1", 60s},
      {",\"expires_in\":1000000000000000000", 3600s},
      {",\"expires_in\":1e300", 3600s},
      {",\"expires_in\":18446744073709551615", 3600s},
      {",\"expires_in\":90.5", 90s},
      {",\"expires_in\":\"300\"", 60s},
      {",\"expires_in\":null", 60s},
  };
  for (const auto& each : cases) {
    const auto token = parse_token("{\"token\":\"abc\"" + std::string(each.member) + "}");
    ASSERT_TRUE(token) << each.member;
    EXPECT_EQ(token->lifetime, each.lifetime) << each.member;
    EXPECT_EQ(token->value, "abc");
  }
}

TEST(Token, takes_either_member) {
  EXPECT_EQ(parse_token(R"({"access_token":"a"})")->value, "a");
  EXPECT_EQ(parse_token(R"({"token":"t","access_token":"a"})")->value, "t");
  EXPECT_EQ(parse_token(R"({"token":"","access_token":"a"})")->value, "a");
}

TEST(Token, refuses_what_cannot_go_into_a_header) {
  for (const std::string body :
       {"", "[]", "{}", "<html>", R"({"token":1})", R"({"token":""})", R"({"token":"a b"})",
        R"({"token":"a\r\nX-Evil: 1"})", R"({"token":"\u00e9"})"})
    EXPECT_FALSE(parse_token(body)) << body;
  EXPECT_FALSE(parse_token("{\"token\":\"" + std::string(100'000, 'a') + "\"}"));
}

// Rows: U-02
TEST(Token, asks_for_the_scope_we_built) {
  const TokenKey key{"https://r", "https://r/token", "reg istry",
                     scope_text("library/app", Right::pull), ""};
  const auto realm = *http::parse_url("https://r/token");
  EXPECT_EQ(token_url(realm, key, {}).text(),
            "https://r/token?service=reg%20istry&scope=repository%3Alibrary%2Fapp%3Apull");
  const auto with_query = *http::parse_url("https://r/token?x=1");
  EXPECT_EQ(token_url(with_query, key, {"bob", "pw", ""}).query,
            "x=1&account=bob&service=reg%20istry&scope=repository%3Alibrary%2Fapp%3Apull");
  EXPECT_EQ(refresh_form(key, {"", "", "a+b"}),
            "grant_type=refresh_token&client_id=entrepot&refresh_token=a%2Bb"
            "&service=reg%20istry&scope=repository%3Alibrary%2Fapp%3Apull");
}

struct RealmCase {
  const char* query;
  const char* bare;
};

// Rows: U-02
TEST(Token, a_realm_says_nothing_that_is_ours_to_say) {
  const RealmCase cases[] = {
      {"", ""},
      {"x=1&y=2", "x=1&y=2"},
      {"x=a;b&y=a%26scope=1", "x=a;b&y=a%26scope=1"},
      {"scope=repository:victim/x:pull,push&account=root&service=other", ""},
      {"x=1&scope=a&scope=b&y=2", "x=1&y=2"},
      {"%73cope=a&s%63ope=b&%73%63%6F%70%65=c", ""},
      {"SCOPE=a&Service=b", ""},
      {"x=1;scope=a&y=2", "y=2"},
      {"scope&service&=z", "=z"},
      {"client_id=a&offline_token=true&grant_type=password&refresh_token=b&z=1", "z=1"},
      {"sc%6pe=a&%=b&ok=1", "ok=1"},
      {"&&a=1&", "a=1"},
      {"scopes=1&my_scope=2", "scopes=1&my_scope=2"},
  };
  const TokenKey key{"https://r", "https://r/token", "s", scope_text("app", Right::pull), ""};
  for (const auto& each : cases) {
    auto realm = *http::parse_url("https://r/token");
    realm.query = each.query;
    EXPECT_EQ(bare_realm(realm).query, each.bare) << each.query;
    const std::string own = *each.bare == '\0' ? "" : std::string(each.bare) + "&";
    EXPECT_EQ(token_url(realm, key, {}).query, own + "service=s&scope=repository%3Aapp%3Apull")
        << each.query;
  }
}

TEST(Account, tells_accounts_apart_without_telling_secrets) {
  const Account bob{"bob", "hunter2", {}};
  EXPECT_EQ(bob.basic(), "Basic Ym9iOmh1bnRlcjI=");
  EXPECT_EQ(bob.fingerprint().find("hunter2"), std::string::npos);
  EXPECT_NE(bob.fingerprint(), (Account{"bob", "other", {}}.fingerprint()));
  EXPECT_NE((Account{"a", "bc", {}}.fingerprint()), (Account{"ab", "c", {}}.fingerprint()));
  EXPECT_EQ(Account{}.fingerprint(), "anonymous");
}

// Rows: U-14
TEST(TokenCache, never_gives_a_token_for_another_tuple) {
  test::ManualClock clock;
  TokenCache cache(clock);
  const TokenKey key{"https://r", "https://r/token", "s", "repository:a:pull", "bob"};
  cache.put(key, {"secret", 100s});
  EXPECT_EQ(cache.find(key), "secret");
  for (auto member : {&TokenKey::origin, &TokenKey::realm, &TokenKey::service, &TokenKey::scope,
                      &TokenKey::account}) {
    auto other = key;
    other.*member += "x";
    EXPECT_FALSE(cache.find(other));
  }
}

TEST(TokenCache, lets_go_before_the_end) {
  test::ManualClock clock;
  TokenCache cache(clock);
  const TokenKey key{"o", "r", "s", "c", "a"};
  cache.put(key, {"t", 100s});
  clock.advance(89s);
  EXPECT_TRUE(cache.find(key));
  clock.advance(1s);
  EXPECT_FALSE(cache.find(key));
}

TEST(TokenCache, forgets_only_the_refused_one) {
  test::ManualClock clock;
  TokenCache cache(clock);
  const TokenKey key{"o", "r", "s", "c", "a"};
  cache.put(key, {"new", 100s});
  cache.forget(key, "old");
  EXPECT_TRUE(cache.find(key));
  cache.forget(key, "new");
  EXPECT_FALSE(cache.find(key));
}

TEST(TokenCache, stays_bounded) {
  test::ManualClock clock;
  TokenCache cache(clock);
  for (int i = 0; i < 10'000; ++i) cache.put({"o", "r", "s", std::to_string(i), "a"}, {"t", 100s});
  EXPECT_TRUE(cache.find({"o", "r", "s", "9999", "a"}));
  EXPECT_FALSE(cache.find({"o", "r", "s", "0", "a"}));
}

}  // namespace
}  // namespace entrepot::upstream::token_test
