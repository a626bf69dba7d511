// /token and the challenges that lead to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "entrepot/auth/password_file.hpp"
#include "house_of_cards.hpp"
#include "support/temp_dir.hpp"

namespace entrepot::api::token_test {
namespace {

using auth::Right;
using test::body_of;
using test::header;
using test::HouseOfCards;
using testing::HasSubstr;
using testing::StartsWith;

// "alice:secret"
constexpr const char* basic = "Basic YWxpY2U6c2VjcmV0";
constexpr const char* wrong = "Basic YWxpY2U6d3Jvbmc=";

class Token : public testing::Test {
 protected:
  Token() : house_(plan()) {}

  HouseOfCards::Plan plan() {
    auth::set_password(folder_.path() / "users", "alice", "secret");
    HouseOfCards::Plan plan;
    plan.gate.htpasswd = folder_.path() / "users";
    plan.gate.tokens = {.realm = "https://registry.example.org/token",
                        .service = "registry.example.org",
                        .issuer = "entrepot",
                        .key = folder_.path() / "token.key"};
    plan.gate.rules = {
        test::rule({{}}, Right::pull, "hub/library/**"),
        test::rule({test::user("alice")}, auth::Rights(Right::pull) | Right::push, "team/**")};
    return plan;
  }
  // What a client does that was told to get a token.
  std::string token_for(const std::string& scope, const HouseOfCards::Fields& fields = {}) {
    const auto reply = house_.get(
        "/token?service=registry.example.org&scope=" + http::encode_query(scope), fields);
    EXPECT_EQ(reply.status, 200) << body_of(reply);
    EXPECT_EQ(header(reply, "Cache-Control"), "no-store");
    const auto body = boost::json::parse(body_of(reply));
    EXPECT_EQ(body.at("token"), body.at("access_token"));
    EXPECT_EQ(body.at("expires_in"), 300);
    EXPECT_EQ(body.at("issued_at").as_string().size(), 20U);
    return "Bearer " + std::string(body.at("token").as_string());
  }
  http::Reply post(const std::string& form) { return house_.send("POST", "/token", form); }

  test::TempDir folder_;
  HouseOfCards house_;
};

TEST_F(Token, the_way_of_docker_from_challenge_to_push) {
  const auto ping = house_.get("/v2/");
  EXPECT_EQ(ping.status, 401);
  EXPECT_EQ(header(ping, "WWW-Authenticate"),
            R"(Bearer realm="https://registry.example.org/token",service="registry.example.org")");
  const auto refused = house_.ask("POST", "/v2/team/app/blobs/uploads/");
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(header(refused, "WWW-Authenticate"), HasSubstr("scope=\"repository:team/app:"));
  const auto token = token_for("repository:team/app:pull,push", {{"Authorization", basic}});
  EXPECT_EQ(house_.get("/v2/", {{"Authorization", token}}).status, 200);
  EXPECT_EQ(house_.ask("POST", "/v2/team/app/blobs/uploads/", {{"Authorization", token}}).status,
            202);
  // Rows: A-16
  EXPECT_EQ(house_.ask("POST", "/v2/team/ap/blobs/uploads/", {{"Authorization", token}}).status,
            401);
}

// Rows: A-03, A-16
TEST_F(Token, a_mount_asks_for_a_token_that_covers_both_repositories) {
  const auto digest = test::ScriptedSource::digest_of("hello").text();
  const auto source = token_for("repository:team/source:pull,push", {{"Authorization", basic}});
  ASSERT_EQ(house_
                .send("POST", "/v2/team/source/blobs/uploads/?digest=" + digest, "hello",
                      {{"Authorization", source}})
                .status,
            201);
  const auto into = token_for("repository:team/app:push", {{"Authorization", basic}});
  const auto target = "/v2/team/app/blobs/uploads/?mount=" + digest;
  for (const auto* from : {"&from=team/source", ""}) {
    const auto asked = house_.ask("POST", target + from, {{"Authorization", into}});
    EXPECT_EQ(asked.status, 401) << from;
    const auto challenge = header(asked, "WWW-Authenticate");
    const auto begin = challenge.find("scope=\"") + 7;
    const auto scope = challenge.substr(begin, challenge.find('"', begin) - begin);
    EXPECT_THAT(scope, HasSubstr("repository:team/source:pull"));
    const auto both = token_for(scope, {{"Authorization", basic}});
    EXPECT_EQ(house_.ask("POST", target + from, {{"Authorization", both}}).status, 201) << from;
  }
  const auto plus = house_.get("/token?scope=repository:team/app:push+repository:team/source:pull",
                               {{"Authorization", basic}});
  const auto token =
      "Bearer " + std::string(boost::json::parse(body_of(plus)).at("token").as_string());
  EXPECT_EQ(house_.ask("POST", target + "&from=team/source", {{"Authorization", token}}).status,
            201);
  // What the rules do not allow is an upload as any other.
  EXPECT_EQ(house_.ask("POST", target + "&from=secret/app", {{"Authorization", into}}).status, 202);
}

TEST_F(Token, scopes_speak_of_names_as_clients_write_them) {
  for (const auto* scope : {"repository:library/app:pull", "repository:hub/library/app:pull",
                            "repository:docker.io/library/app:pull"}) {
    const auto token = token_for(scope);
    EXPECT_EQ(house_.get("/v2/library/app/manifests/v1", {{"Authorization", token}}).status, 200)
        << scope;
  }
}

TEST_F(Token, a_wrong_password_is_told_by_a_challenge_for_one) {
  const auto reply = house_.get("/token", {{"Authorization", wrong}});
  EXPECT_EQ(reply.status, 401);
  EXPECT_THAT(header(reply, "WWW-Authenticate"), StartsWith("Basic "));
}

TEST_F(Token, a_grant_that_is_not_valid_is_told_in_both_tongues) {
  for (const auto* form : {"grant_type=password&username=alice&password=wrong",
                           "grant_type=password&username=nobody&password=secret",
                           "grant_type=password", "grant_type=refresh_token&refresh_token=x"}) {
    const auto posted = post(form);
    EXPECT_EQ(posted.status, 401) << form;
    EXPECT_THAT(header(posted, "WWW-Authenticate"), StartsWith("Basic realm=")) << form;
    EXPECT_EQ(header(posted, "Cache-Control"), "no-store");
    const auto body = boost::json::parse(body_of(posted));
    EXPECT_EQ(body.at("errors").at(0).at("code"), "UNAUTHORIZED") << form;
    EXPECT_EQ(body.at("error"), "invalid_grant") << form;
    EXPECT_FALSE(body_of(posted).contains("secret"));
  }
}

TEST_F(Token, head_is_get) {
  const auto head = house_.head("/token", {{"Authorization", basic}});
  EXPECT_EQ(head.status, 200);
  EXPECT_GT(head.body_length(), 0U);
}

TEST_F(Token, oauth2_by_password_and_then_by_refresh_token) {
  const auto first = post(
      "grant_type=password&username=alice&password=secret&access_type=offline&client_id=docker"
      "&service=registry.example.org&scope=repository%3Ateam%2Fapp%3Apush");
  EXPECT_EQ(first.status, 200) << body_of(first);
  EXPECT_EQ(first.trace.user, "alice");
  const auto refresh =
      std::string(boost::json::parse(body_of(first)).at("refresh_token").as_string());
  const auto second = post("grant_type=refresh_token&service=registry.example.org&refresh_token=" +
                           http::encode_query(refresh) + "&scope=repository%3Ateam%2Fapp%3Apush");
  EXPECT_EQ(second.status, 200) << body_of(second);
  const auto token =
      "Bearer " + std::string(boost::json::parse(body_of(second)).at("access_token").as_string());
  EXPECT_EQ(house_.ask("POST", "/v2/team/app/blobs/uploads/", {{"Authorization", token}}).status,
            202);
}

TEST_F(Token, forms_that_make_no_sense) {
  for (const auto& form : {std::string("grant_type=magic"), std::string("%zz"), std::string(),
                           std::string(100'000, 'a')}) {
    const auto posted = post(form);
    EXPECT_EQ(posted.status, 400) << form.substr(0, 20);
    const auto error = boost::json::parse(body_of(posted)).at("error");
    const bool is_form = form.empty() || form.starts_with("grant_type");
    EXPECT_EQ(error, is_form ? "unsupported_grant_type" : "invalid_request") << form.substr(0, 20);
  }
}

TEST(NoTokenServer, is_404) {
  HouseOfCards house;
  EXPECT_EQ(house.get("/token").status, 404);
  EXPECT_EQ(house.get("/token", {{"Authorization", wrong}}).status, 404);
  EXPECT_EQ(house.send("POST", "/token", "grant_type=password").status, 404);
}

}  // namespace
}  // namespace entrepot::api::token_test
