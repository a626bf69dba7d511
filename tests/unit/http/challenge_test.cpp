#include "entrepot/http/challenge.hpp"

#include <gtest/gtest.h>

namespace entrepot::http::challenge_test {
namespace {

std::string describe(std::string_view header) {
  std::string text;
  for (const auto& challenge : parse_challenges(header)) {
    text += challenge.scheme + "{";
    for (const auto& [key, value] : challenge.parameters) text += key + "=" + value + ";";
    text += "}";
  }
  return text;
}

TEST(Challenge, as_registries_send_them) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
       "scope=\"repository:library/busybox:pull\"",
       "bearer{realm=https://auth.docker.io/token;scope=repository:library/busybox:pull;"
       "service=registry.docker.io;}"},
      {"Basic realm=\"Registry Realm\"", "basic{realm=Registry Realm;}"},
      {"BASIC", "basic{}"},
      {"Bearer realm=x , scope=\"a:b:pull,push c:d:pull\"",
       "bearer{realm=x;scope=a:b:pull,push c:d:pull;}"},
      {"Bearer Realm = \"a\\\"b\"", "bearer{realm=a\"b;}"},
      {"Negotiate, Basic realm=\"r\", Bearer realm=\"s\",error=\"invalid_token\"",
       "negotiate{}basic{realm=r;}bearer{error=invalid_token;realm=s;}"},
      {"NTLM TlRMTVNTUAACAAAA==, Basic realm=r", "ntlm{}basic{realm=r;}"},
      {"Bearer realm=\"first\",realm=\"second\"", "bearer{realm=first;}"},
      {", ,Basic realm=r,,", "basic{realm=r;}"},
  };
  for (const auto& [header, expected] : cases) EXPECT_EQ(describe(header), expected) << header;
}

TEST(Challenge, a_malformed_rest_is_dropped) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},
      {"=", ""},
      {"\"Bearer\"", ""},
      {"Bearer realm=\"never ends", "bearer{}"},
      {"Bearer realm=\"x\", \"y\"", "bearer{realm=x;}"},
      {"Basic realm=r, @@@, Bearer realm=s", "basic{realm=r;}"},
  };
  for (const auto& [header, expected] : cases) EXPECT_EQ(describe(header), expected) << header;
}

TEST(Challenge, bounded) {
  std::string many;
  for (int i = 0; i < 100; ++i) many += "Basic realm=r, ";
  EXPECT_EQ(parse_challenges(many).size(), 16U);
  std::string wide = "Bearer ";
  for (int i = 0; i < 100; ++i) wide += "p" + std::to_string(i) + "=v,";
  ASSERT_EQ(parse_challenges(wide).size(), 1U);
  EXPECT_EQ(parse_challenges(wide)[0].parameters.size(), 16U);
  EXPECT_LE(parse_challenges(std::string(1 << 20, 'a')).size(), 1U);
}

TEST(Challenge, parameter_by_name) {
  const auto challenges = parse_challenges("Bearer realm=\"r\"");
  ASSERT_EQ(challenges.size(), 1U);
  EXPECT_EQ(challenges[0].parameter("realm"), "r");
  EXPECT_FALSE(challenges[0].parameter("scope"));
}

}  // namespace
}  // namespace entrepot::http::challenge_test
