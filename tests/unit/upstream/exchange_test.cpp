// Authentication and redirects, seen from the servers.
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "support/temp_dir.hpp"
#include "unit/upstream/lab.hpp"

namespace entrepot::upstream::exchange_test {
namespace {

using registry::FailureKind;
using test::FakeUpstream;
using namespace std::chrono_literals;

const std::string body = R"({"schemaVersion":2})";

class Exchanges : public testing::Test, public Lab {
 protected:
  void log_in(const std::string& username, const std::string& password) {
    const auto path = dir_.path() / "password";
    std::ofstream(path) << password << '\n';
    options.username = username;
    options.password_file = path.string();
  }
  std::string bearer(const std::string& realm) const {
    return "Bearer realm=\"" + realm + "\",service=\"lab\",scope=\"repository:evil:push,pull\"";
  }
  registry::Answer<registry::ManifestContent> fetch(const std::string& reference = "v1") {
    return run(remote().manifest(app(), at(reference)));
  }

  test::TempDir dir_;
};

// Rows: U-02
TEST_F(Exchanges, gets_a_token_for_the_scope_it_built) {
  server.on("GET /token", test::reply(200, R"({"token":"abc","expires_in":300})"));
  server.on("GET /v2/",
            guarded("Bearer abc", bearer(server.url() + "/token"), manifest_reply(body)));
  ASSERT_TRUE(fetch());
  EXPECT_EQ(server.requests()[1].target,
            "/token?service=lab&scope=repository%3Alibrary%2Fapp%3Apull");
  EXPECT_EQ(server.requests()[1].header("Authorization"), "-");
}

// Rows: U-14
TEST_F(Exchanges, keeps_the_token_and_begins_with_it) {
  server.on("GET /token", test::reply(200, R"({"access_token":"abc","expires_in":300})"));
  server.on("GET /v2/",
            guarded("Bearer abc", bearer(server.url() + "/token"), manifest_reply(body)));
  ASSERT_TRUE(fetch("v1"));
  ASSERT_TRUE(fetch("v2"));
  EXPECT_EQ(server.count("/token"), 1U);
  EXPECT_EQ(server.requests().size(), 4U);  // 401, token, 200, 200
}

// Rows: U-14
TEST_F(Exchanges, asks_for_another_token_for_another_repository) {
  server.on("GET /token", test::reply(200, R"({"token":"abc"})"));
  server.on("GET /v2/",
            guarded("Bearer abc", bearer(server.url() + "/token"), manifest_reply(body)));
  ASSERT_TRUE(fetch());
  ASSERT_TRUE(run(remote().manifest(*oci::RepositoryName::parse("other"), at("v1"))));
  EXPECT_EQ(server.count("/token"), 2U);
  EXPECT_EQ(server.count("repository%3Aother%3Apull"), 1U);
}

TEST_F(Exchanges, a_token_refused_early_is_replaced_once) {
  server.on("GET /token", test::reply(200, R"({"token":"old","expires_in":300})"), 1);
  server.on("GET /token", test::reply(200, R"({"token":"new","expires_in":300})"));
  const auto challenge = bearer(server.url() + "/token");
  server.on("GET /v2/library/app/manifests/v1",
            guarded("Bearer old", challenge, manifest_reply(body)));
  server.on("GET /v2/library/app/manifests/v2",
            guarded("Bearer new", challenge, manifest_reply(body)));
  ASSERT_TRUE(fetch("v1"));
  ASSERT_TRUE(fetch("v2"));
  EXPECT_EQ(server.count("/token"), 2U);
}

TEST_F(Exchanges, a_token_that_is_refused_at_once_is_a_denial) {
  server.on("GET /token", test::reply(200, R"({"token":"abc"})"));
  server.on("GET /v2/",
            test::reply(401, "", {{"WWW-Authenticate", bearer(server.url() + "/token")}}));
  const auto answer = fetch();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, FailureKind::denied);
  EXPECT_EQ(server.requests().size(), 3U);
}

// Rows: U-02
TEST_F(Exchanges, a_token_server_that_moved_is_found_again) {
  for (const auto& gone : {test::reply(503, ""), test::reply(403, "")}) {
    Lab lab;
    lab.options.retries = 0;
    const auto challenge = [&lab](const std::string& path) {
      return "Bearer realm=\"" + lab.server.url() + path + "\",service=\"lab\"";
    };
    lab.server.on("GET /old", test::reply(200, R"({"token":"one","expires_in":1})"), 1);
    lab.server.on("GET /old", gone);
    lab.server.on("GET /new", test::reply(200, R"({"token":"two"})"));
    lab.server.on("GET /v2/library/app/manifests/v1",
                  guarded("Bearer one", challenge("/old"), manifest_reply(body)));
    lab.server.on("GET /v2/library/app/manifests/v2",
                  guarded("Bearer two", challenge("/new"), manifest_reply(body)));
    ASSERT_TRUE(lab.run(lab.remote().manifest(app(), at("v1"))));
    std::this_thread::sleep_for(1s);  // the first token's life
    EXPECT_TRUE(lab.run(lab.remote().manifest(app(), at("v2"))));
    EXPECT_EQ(lab.server.count("/old"), 2U);
    EXPECT_TRUE(lab.run(lab.remote().manifest(app(), at("v2"))));
    EXPECT_EQ(lab.server.count("/old"), 2U);
  }
}

// Rows: U-02, U-14
TEST_F(Exchanges, a_token_server_is_asked_for_its_own_repositories_only) {
  options.retries = 0;
  server.on("GET /a", test::reply(200, R"({"token":"abc"})"));
  server.on("GET /b", test::reply(200, R"({"token":"def"})"));
  server.on("GET /v2/library/app/",
            guarded("Bearer abc", bearer(server.url() + "/a"), manifest_reply(body)));
  server.on("GET /v2/other/",
            guarded("Bearer def", bearer(server.url() + "/b"), manifest_reply(body)));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(fetch());
    ASSERT_TRUE(run(remote().manifest(*oci::RepositoryName::parse("other"), at("v1"))));
  }
  EXPECT_EQ(server.count("GET /a?"), 1U);
  EXPECT_EQ(server.count("GET /b?"), 1U);
}

// Rows: N-02
TEST_F(Exchanges, a_token_server_that_fails_does_not_make_the_upstream_rest) {
  options.retries = 0;
  server.on("GET /token", test::reply(503, ""), 5);
  server.on("GET /token", test::reply(200, R"({"token":"abc"})"));
  server.on("GET /v2/",
            guarded("Bearer abc", bearer(server.url() + "/token"), manifest_reply(body)));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(fetch());
  EXPECT_TRUE(fetch());
  EXPECT_EQ(server.count("/token"), 6U);
}

TEST_F(Exchanges, nothing_is_believed_absent_for_want_of_a_token) {
  options.retries = 0;
  server.on("GET /token", test::reply(200, R"({"token":"abc","expires_in":1})"), 1);
  server.on("GET /token", test::reply(503, ""));
  server.on("GET /v2/library/app/manifests/v1",
            guarded("Bearer abc", bearer(server.url() + "/token"), manifest_reply(body)));
  server.on("GET /v2/library/app/manifests/v2", test::reply(404, ""));
  ASSERT_TRUE(fetch("v1"));
  std::this_thread::sleep_for(1s);  // the token's life
  const auto answer = fetch("v2");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, FailureKind::broken);
  EXPECT_NE(answer.error().message.find("token server"), std::string::npos);
  EXPECT_EQ(server.count("/token"), 2U);
}

TEST_F(Exchanges, sends_the_login_to_the_token_server) {
  log_in("bob", "hunter2");
  server.on("GET /token", test::reply(200, R"({"token":"abc"})"));
  server.on("GET /v2/",
            guarded("Bearer abc", bearer(server.url() + "/token"), manifest_reply(body)));
  ASSERT_TRUE(fetch());
  EXPECT_EQ(server.requests()[1].header("Authorization"), "Basic Ym9iOmh1bnRlcjI=");
  EXPECT_EQ(server.count("account=bob"), 1U);
  EXPECT_EQ(server.requests()[0].header("Authorization"), "-");
}

// Rows: U-13
TEST_F(Exchanges, a_wrong_password_is_named_without_being_told) {
  log_in("bob", "hunter2");
  server.on("GET /token", test::reply(401, "hunter2"));
  server.on("GET /v2/",
            guarded("Bearer abc", bearer(server.url() + "/token"), manifest_reply(body)));
  const auto answer = fetch();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, FailureKind::denied);
  EXPECT_NE(answer.error().message.find("login"), std::string::npos);
  EXPECT_EQ(answer.error().message.find("hunter2"), std::string::npos);
  EXPECT_EQ(metrics.render().find("hunter2"), std::string::npos);
}

TEST_F(Exchanges, answers_a_basic_challenge) {
  log_in("bob", "hunter2");
  server.on("GET", guarded("Basic Ym9iOmh1bnRlcjI=", "Basic realm=\"lab\"", manifest_reply(body)));
  ASSERT_TRUE(fetch("v1"));
  ASSERT_TRUE(fetch("v2"));
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST_F(Exchanges, anonymous_cannot_answer_a_basic_challenge) {
  server.on("GET", guarded("Basic x", "Basic realm=\"lab\"", manifest_reply(body)));
  const auto answer = fetch();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, FailureKind::denied);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(Exchanges, a_replaced_password_file_is_read_again) {
  log_in("bob", "old");
  server.on("GET", guarded("Basic Ym9iOmh1bnRlcjI=", "Basic realm=\"lab\"", manifest_reply(body)));
  EXPECT_FALSE(fetch());
  log_in("bob", "hunter2");
  EXPECT_TRUE(fetch());
}

TEST_F(Exchanges, trades_an_identity_token_by_post) {
  const auto path = dir_.path() / "config.json";
  std::ofstream(path) << R"({"auths":{"127.0.0.1:)" << server.port()
                      << R"(":{"identitytoken":"ident"}}})";
  options.docker_config = path.string();
  server.on("POST /token", test::reply(200, R"({"access_token":"abc"})"));
  server.on("GET /v2/",
            guarded("Bearer abc", bearer(server.url() + "/token"), manifest_reply(body)));
  ASSERT_TRUE(fetch());
  EXPECT_NE(server.requests()[1].body.find("refresh_token=ident"), std::string::npos);
  EXPECT_NE(server.requests()[1].body.find("grant_type=refresh_token"), std::string::npos);
}

// Rows: U-02
TEST_F(Exchanges, a_realm_cannot_widen_what_is_asked_of_it) {
  const std::string realm =
      "/token?a=1&scope=repository:victim/x:pull,push&%73ervice=other&account=root";
  log_in("bob", "hunter2");
  server.on("GET /token", test::reply(200, R"({"token":"abc"})"));
  server.on("GET /v2/", guarded("Bearer abc", bearer(server.url() + realm), manifest_reply(body)));
  ASSERT_TRUE(fetch());
  EXPECT_EQ(server.requests()[1].target,
            "/token?a=1&account=bob&service=lab&scope=repository%3Alibrary%2Fapp%3Apull");
  Lab posts;
  const auto path = dir_.path() / "config.json";
  std::ofstream(path) << R"({"auths":{"127.0.0.1:)" << posts.server.port()
                      << R"(":{"identitytoken":"ident"}}})";
  posts.options.docker_config = path.string();
  posts.server.on("POST /token", test::reply(200, R"({"access_token":"abc"})"));
  posts.server.on("GET /v2/",
                  guarded("Bearer abc", bearer(posts.server.url() + realm), manifest_reply(body)));
  ASSERT_TRUE(posts.run(posts.remote().manifest(app(), at("v1"))));
  EXPECT_EQ(posts.server.requests()[1].target, "/token?a=1");
}

TEST_F(Exchanges, falls_back_to_get_where_post_is_not_known) {
  const auto path = dir_.path() / "config.json";
  std::ofstream(path) << R"({"auths":{"127.0.0.1:)" << server.port()
                      << R"(":{"identitytoken":"ident"}}})";
  options.docker_config = path.string();
  server.on("POST /token", test::reply(405, ""));
  server.on("GET /token", test::reply(200, R"({"token":"abc"})"));
  server.on("GET /v2/",
            guarded("Bearer abc", bearer(server.url() + "/token"), manifest_reply(body)));
  ASSERT_TRUE(fetch());
}

TEST_F(Exchanges, asks_a_credential_helper) {
  const auto helper = dir_.path() / "docker-credential-lab";
  std::ofstream(helper)
      << "#!/bin/sh\nread server\n"
         "echo \"{\\\"Username\\\":\\\"bob\\\",\\\"Secret\\\":\\\"hunter2\\\"}\"\n";
  std::filesystem::permissions(helper, std::filesystem::perms::owner_all);
  const std::string path = dir_.path().string() + ":" + ::getenv("PATH");
  ::setenv("PATH", path.c_str(), 1);
  const auto config = dir_.path() / "config.json";
  std::ofstream(config) << R"({"credsStore":"lab"})";
  options.docker_config = config.string();
  server.on("GET", guarded("Basic Ym9iOmh1bnRlcjI=", "Basic realm=\"lab\"", manifest_reply(body)));
  EXPECT_TRUE(fetch());
}

// Rows: U-01
TEST_F(Exchanges, a_realm_elsewhere_never_hears_from_us) {
  FakeUpstream evil;
  log_in("bob", "hunter2");
  server.on("GET", test::reply(401, "", {{"WWW-Authenticate", bearer(evil.url() + "/token")}}));
  const auto answer = fetch();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, FailureKind::broken);
  EXPECT_TRUE(evil.requests().empty());
}

// Rows: U-01, U-07
TEST_F(Exchanges, an_anonymous_token_may_come_from_elsewhere_but_not_from_inside) {
  FakeUpstream tokens;
  tokens.on("GET /token", test::reply(200, R"({"token":"abc"})"));
  server.on("GET", guarded("Bearer abc", bearer(tokens.url() + "/token"), manifest_reply(body)));
  EXPECT_FALSE(fetch());
  EXPECT_TRUE(tokens.requests().empty());
  Lab open;
  open.options.private_network = PrivateNetwork::allowed;
  open.server.on("GET",
                 guarded("Bearer abc", bearer(tokens.url() + "/token"), manifest_reply(body)));
  EXPECT_TRUE(open.run(open.remote().manifest(app(), at("v1"))));
}

// Rows: U-01
TEST_F(Exchanges, a_listed_realm_does) {
  FakeUpstream tokens;
  log_in("bob", "hunter2");
  options.trusted_realms = {tokens.url()};
  tokens.on("GET /token", test::reply(200, R"({"token":"abc"})"));
  server.on("GET", guarded("Bearer abc", bearer(tokens.url() + "/token"), manifest_reply(body)));
  ASSERT_TRUE(fetch());
  EXPECT_EQ(tokens.last().header("Authorization"), "Basic Ym9iOmh1bnRlcjI=");
}

// Rows: U-01
TEST_F(Exchanges, a_token_server_that_redirects_is_not_followed) {
  FakeUpstream evil;
  log_in("bob", "hunter2");
  server.on("GET /token", test::reply(302, "", {{"Location", evil.url() + "/token"}}));
  server.on("GET", guarded("Bearer abc", bearer(server.url() + "/token"), manifest_reply(body)));
  EXPECT_FALSE(fetch());
  EXPECT_TRUE(evil.requests().empty());
}

// Rows: U-03
TEST_F(Exchanges, a_redirect_elsewhere_carries_no_credentials) {
  FakeUpstream store;
  log_in("bob", "hunter2");
  options.private_network = PrivateNetwork::allowed;
  server.on(
      "GET",
      guarded("Basic Ym9iOmh1bnRlcjI=", "Basic realm=\"lab\"",
              test::reply(307, "",
                          {{"Location", "http://u:p@127.0.0.1:" + std::to_string(store.port()) +
                                            "/signed?sig=1"}})));
  store.on("GET /signed?sig=1", manifest_reply(body));
  ASSERT_TRUE(fetch());
  const auto request = store.last();
  EXPECT_EQ(request.header("Authorization"), "-");
  EXPECT_EQ(request.header("Cookie"), "-");
  EXPECT_EQ(request.headers.size(), 4U);
}

// Rows: U-03
TEST_F(Exchanges, credentials_do_not_come_back_after_a_detour) {
  FakeUpstream store;
  log_in("bob", "hunter2");
  options.private_network = PrivateNetwork::allowed;
  server.on("GET /v2/", guarded("Basic Ym9iOmh1bnRlcjI=", "Basic realm=\"lab\"",
                                test::reply(307, "", {{"Location", store.url() + "/x"}})));
  store.on("GET /x", test::reply(307, "", {{"Location", server.url() + "/admin"}}));
  server.on("GET /admin", manifest_reply(body));
  fetch();
  EXPECT_EQ(server.last().target, "/admin");
  EXPECT_EQ(server.last().header("Authorization"), "-");
}

TEST_F(Exchanges, a_redirect_at_home_keeps_them) {
  log_in("bob", "hunter2");
  const std::string basic = "Basic Ym9iOmh1bnRlcjI=";
  server.on("GET /v2/", guarded(basic, "Basic realm=\"lab\"",
                                test::reply(301, "", {{"Location", "/elsewhere"}})));
  server.on("GET /elsewhere", guarded(basic, "Basic realm=\"lab\"", manifest_reply(body)));
  EXPECT_TRUE(fetch());
}

// Rows: U-07
TEST_F(Exchanges, a_redirect_to_an_internal_address_goes_nowhere) {
  FakeUpstream internal;
  internal.on("GET", manifest_reply(body));
  server.on("GET", test::reply(307, "", {{"Location", internal.url() + "/x"}}));
  const auto answer = fetch();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, FailureKind::broken);
  EXPECT_TRUE(internal.requests().empty());
}

// Rows: U-05, U-06
TEST(Exchange, absurd_redirects_end) {
  const std::string huge = "https://127.0.0.1/" + std::string(60'000, 'a');
  for (const std::string location :
       {"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", "dict://127.0.0.1/", "",
        "http://[bad", huge.c_str()}) {
    Lab lab;
    lab.server.on("GET", test::reply(307, "", {{"Location", location}}));
    const auto answer = lab.run(lab.remote().manifest(app(), at("v1")));
    ASSERT_FALSE(answer) << location;
    EXPECT_EQ(answer.error().kind, FailureKind::broken) << location;
    EXPECT_EQ(lab.server.requests().size(), 1U) << location;
  }
}

// Rows: U-06
TEST_F(Exchanges, a_loop_is_left_after_five_steps) {
  server.on("GET", test::reply(307, "", {{"Location", "/again"}}));
  EXPECT_FALSE(fetch());
  EXPECT_EQ(server.requests().size(), 6U);
}

TEST_F(Exchanges, a_store_that_refuses_us_is_not_a_denied_login) {
  FakeUpstream store;
  options.private_network = PrivateNetwork::allowed;
  options.retries = 0;
  server.on("GET", test::reply(307, "", {{"Location", store.url() + "/x"}}));
  store.on("GET", test::reply(403, ""));
  EXPECT_EQ(fetch().error().kind, FailureKind::broken);
}

async::Task<> fetch_into(registry::Source& source, int& good) {
  const auto answer = co_await source.manifest(app(), at("v1"));
  if (answer) ++good;
}

TEST_F(Exchanges, many_at_once_ask_for_one_token) {
  server.on("GET /token", [](test::Exchange& exchange) {
    exchange.wait(std::chrono::milliseconds(50));
    test::reply(200, R"({"token":"abc"})")(exchange);
  });
  server.on("GET /v2/",
            guarded("Bearer abc", bearer(server.url() + "/token"), manifest_reply(body)));
  int good = 0;
  for (int i = 0; i < 10; ++i)
    async::spawn(context.get_executor(), fetch_into(remote(), good), "test");
  context.run();
  EXPECT_EQ(good, 10);
  EXPECT_EQ(server.count("/token"), 1U);
}

}  // namespace
}  // namespace entrepot::upstream::exchange_test
