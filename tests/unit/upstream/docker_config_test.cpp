#include "upstream/docker_config.hpp"

#include <gtest/gtest.h>

namespace entrepot::upstream::docker_config_test {
namespace {

std::string kind_of(const std::expected<DockerEntry, std::string>& entry) {
  if (!entry) return "error";
  if (const auto* account = std::get_if<Account>(&*entry))
    return account->username + "/" + account->password + "/" + account->identity_token;
  if (const auto* helper = std::get_if<HelperEntry>(&*entry))
    return "helper " + helper->name + " " + helper->server;
  return "none";
}

struct Case {
  const char* text;
  const char* host;
  const char* expected;
};

TEST(DockerConfig, finds_what_docker_would) {
  const Case cases[] = {
      {R"({"auths":{"r.example":{"auth":"Ym9iOnB3"}}})", "r.example", "bob/pw/"},
      {R"({"auths":{"r.example:5000":{"auth":"Ym9iOnB3"}}})", "r.example:5000", "bob/pw/"},
      {R"({"auths":{"https://r.example/v2/":{"auth":"Ym9iOnB3"}}})", "r.example", "bob/pw/"},
      {R"({"auths":{"r.example":{"auth":"Ym9iOnB3"}}})", "r.example:5000", "none"},
      {R"({"auths":{"r.example":{"auth":"Ym9iOnB3"}}})", "evil.r.example", "none"},
      {R"({"auths":{"r.example":{"username":"u","password":"p"}}})", "r.example", "u/p/"},
      {R"({"auths":{"r.example":{"auth":"Ym9iOnA6dw"}}})", "r.example", "bob/p:w/"},
      {R"({"auths":{"r.example":{"auth":"Ym9iOg==","identitytoken":"tok"}}})", "r.example",
       "bob//tok"},
      {R"({"auths":{"r.example":{}}})", "r.example", "none"},
      {R"({"auths":{"r.example":{"auth":"%%%"}}})", "r.example", "error"},
      {R"({"auths":{"https://index.docker.io/v1/":{"auth":"Ym9iOnB3"}}})", "registry-1.docker.io",
       "bob/pw/"},
      {R"({"auths":{"https://index.docker.io/v1/":{"auth":"Ym9iOnB3"}}})", "docker.io", "bob/pw/"},
      {R"({"auths":{"https://index.docker.io/v1/":{"auth":"Ym9iOnB3"}}})", "ghcr.io", "none"},
      {R"({"credHelpers":{"r.example":"ecr-login"},"credsStore":"pass"})", "r.example",
       "helper ecr-login r.example"},
      {R"({"credHelpers":{"r.example":"ecr-login"},"credsStore":"pass"})", "other",
       "helper pass other"},
      {R"({"credsStore":"pass"})", "registry-1.docker.io",
       "helper pass https://index.docker.io/v1/"},
      {R"({"credHelpers":{"r.example":""},"auths":{"r.example":{"auth":"Ym9iOnB3"}}})", "r.example",
       "bob/pw/"},
      {"{}", "r.example", "none"},
      {"", "r.example", "error"},
      {"[]", "r.example", "error"},
  };
  for (const auto& each : cases)
    EXPECT_EQ(kind_of(find_in_docker_config(each.text, each.host)), each.expected) << each.text;
}

TEST(DockerConfig, reads_what_a_helper_prints) {
  const auto plain = parse_helper_answer(R"({"ServerURL":"s","Username":"u","Secret":"p"})");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->password, "p");
  const auto token = parse_helper_answer(R"({"Username":"<token>","Secret":"t"})");
  ASSERT_TRUE(token);
  EXPECT_EQ(token->identity_token, "t");
  EXPECT_TRUE(token->username.empty());
  EXPECT_FALSE(parse_helper_answer("no"));
}

}  // namespace
}  // namespace entrepot::upstream::docker_config_test
