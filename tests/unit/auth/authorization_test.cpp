#include "auth/authorization.hpp"

#include <gtest/gtest.h>

#include "auth/challenge.hpp"
#include "entrepot/base/bytes.hpp"

namespace entrepot::auth::authorization_test {
namespace {

std::string text_of(const Authorization& header) {
  if (const auto* basic = std::get_if<BasicAuthorization>(&header)) {
    return "basic " + basic->name + "|" + basic->password;
  }
  if (const auto* bearer = std::get_if<BearerAuthorization>(&header)) {
    return "bearer " + std::string(bearer->token);
  }
  return std::holds_alternative<NoAuthorization>(header) ? "none" : "odd";
}

TEST(Authorization, schemes_and_what_they_ask_for) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "none"},
      {"Basic " + base::to_base64("bob:pw"), "basic bob|pw"},
      {"basic " + base::to_base64("bob:p:w:"), "basic bob|p:w:"},
      {"BASIC   " + base::to_base64(":"), "basic |"},
      {"Basic " + base::to_base64("bob"), "odd"},
      {"Basic", "odd"},
      {"Basic ", "odd"},
      {"Basic %%%", "odd"},
      {"Bearer abc.def.ghi", "bearer abc.def.ghi"},
      {"bearer abc", "bearer abc"},
      {"Bearer", "odd"},
      {"Bearer ", "odd"},
      {"Bearer a b", "odd"},
      {"Bearer a\tb", "odd"},
      {"Negotiate abc", "odd"},
      {"Digest username=\"bob\"", "odd"},
      {" Basic abc", "odd"},
  };
  for (const auto& [header, expected] : cases) {
    EXPECT_EQ(text_of(parse_authorization(header)), expected) << header;
  }
}

// Rows: A-19
TEST(Challenge, texts) {
  EXPECT_EQ(basic_challenge("entrepot"), R"(Basic realm="entrepot", charset="UTF-8")");
  EXPECT_EQ(bearer_challenge({"https://r.example/token", "r.example"}),
            R"(Bearer realm="https://r.example/token",service="r.example")");
  EXPECT_EQ(bearer_challenge({"https://r.example/token", "r.example", "repository:a/b:pull",
                              "insufficient_scope"}),
            R"(Bearer realm="https://r.example/token",service="r.example",)"
            R"(scope="repository:a/b:pull",error="insufficient_scope")");
  EXPECT_EQ(basic_challenge("a\"b\\c\r\nX: y"), R"(Basic realm="a\"b\\cX: y", charset="UTF-8")");
}

}  // namespace
}  // namespace entrepot::auth::authorization_test
