// Manifests, tags and the catalog of a registry we write to, and who hears which secret meanwhile.
#include <fstream>

#include "support/temp_dir.hpp"
#include "unit/upstream/push_lab.hpp"

namespace entrepot::upstream::place_test {
namespace {

using registry::FailureKind;

const std::string body = R"({"schemaVersion":2})";

class Places : public PushLab {
 protected:
  void log_in() {
    std::ofstream(dir_.path() / "password") << "secret\n";
    options.username = "ci";
    options.password_file = (dir_.path() / "password").string();
  }
  // Everything behind a token server that gives "abc".
  void guard() {
    guard_ = "Bearer realm=\"" + server.url() + "/token\",service=\"lab\"";
    server.before_body("/token", test::reply(200, R"({"token":"abc"})"));
    server.before_body("/v2/", [this](test::Exchange& exchange) {
      if (exchange.request.header("Authorization") != "Bearer abc")
        return test::reply(401, "{}", {{"WWW-Authenticate", guard_}})(exchange);
      const auto size = exchange.request.header("Content-Length");
      while (size != "-" && exchange.request.body.size() < std::stoul(size) &&
             exchange.receive(100'000) > 0) {
      }
      shelf.answer(exchange);
    });
  }
  registry::ManifestOffer manifest(std::vector<oci::Tag> tags) {
    return {.digest = digest_of(body), .media_type = oci_type, .bytes = body, .tags = tags};
  }
  // What the token server was asked for, in order.
  std::vector<std::string> scopes() const {
    std::vector<std::string> all;
    for (const auto& each : server.requests())
      if (each.target.starts_with("/token")) all.push_back(each.target.substr(18));
    return all;
  }

  test::TempDir dir_;
  std::string guard_;
};

TEST_F(Places, a_manifest_is_put_by_each_of_its_tags) {
  ASSERT_TRUE(run(place().put_manifest(app(), manifest({test::tag("v1"), test::tag("latest")}))));
  EXPECT_EQ(shelf.manifest("library/app", "v1"), test::Shelf::Stored(oci_type, body));
  EXPECT_EQ(shelf.manifest("library/app", "latest").second, body);
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(Places, a_manifest_without_tags_is_put_by_its_digest) {
  ASSERT_TRUE(run(place().put_manifest(app(), manifest({}))));
  EXPECT_EQ(server.last().target, "/v2/library/app/manifests/" + digest_of(body).text());
  EXPECT_EQ(shelf.manifest("library/app", digest_of(body).text()).second, body);
}

// Rows: C-13
TEST_F(Places, a_manifest_that_is_called_another_was_not_taken) {
  server.before_body("PUT",
                     test::reply(201, "", {{"Docker-Content-Digest", digest_of("x").text()}}));
  const auto put = run(place().put_manifest(app(), manifest({test::tag("v1")})));
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().kind, FailureKind::broken);
}

TEST_F(Places, a_refusal_says_its_code_and_no_more) {
  server.before_body("PUT", test::reply(400, R"({"errors":[{"code":"MANIFEST_BLOB_UNKNOWN",
                                                  "message":"Authorization: secret"}]})"));
  const auto put = run(place().put_manifest(app(), manifest({test::tag("v1")})));
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().message, "upstream lab: answered 400 (MANIFEST_BLOB_UNKNOWN)");
}

registry::ManifestOffer signature_of(const std::string& subject, const std::string& note) {
  const auto bytes = test::image_manifest(
      {{digest_of("{}"), 2}}, R"(,"artifactType":"application/x-signature","subject":)" +
                                  test::descriptor(oci_type, digest_of(subject), subject.size()) +
                                  note);
  return {.digest = digest_of(bytes), .media_type = oci_type, .bytes = bytes};
}

TEST_F(Places, a_registry_that_lists_no_referrers_gets_their_tag) {
  server.before_body("GET /v2/library/app/referrers/", test::reply(404, ""));
  const auto first = signature_of(body, "");
  const auto second = signature_of(body, R"(,"annotations":{"a":"b"})");
  for (const auto& each : {first, second, first})
    ASSERT_TRUE(run(place().put_manifest(app(), each)));
  const auto found = run(place().referrers(app(), digest_of(body), "", {}));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->referrers.size(), 2U);
  EXPECT_EQ(found->referrers[0].descriptor.digest, first.digest);
  EXPECT_EQ(found->referrers[0].descriptor.size, first.bytes.size());
  EXPECT_EQ(found->referrers[0].artifact_type, "application/x-signature");
  EXPECT_EQ(found->referrers[1].annotations.at("a"), "b");
}

TEST_F(Places, one_that_lists_them_itself_is_left_to_it) {
  server.before_body("PUT", test::reply(201, "", {{"OCI-Subject", digest_of(body).text()}}));
  ASSERT_TRUE(run(place().put_manifest(app(), signature_of(body, ""))));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(Places, what_else_stands_under_the_tag_of_referrers_stays) {
  auto tag = digest_of(body).text();
  tag[tag.find(':')] = '-';
  shelf.put_manifest("library/app", tag, {oci_type, body});
  EXPECT_FALSE(run(place().put_manifest(app(), signature_of(body, ""))));
  EXPECT_EQ(shelf.manifest("library/app", tag).second, body);
}

TEST_F(Places, a_tag_is_taken_away_alone) {
  shelf.put_manifest("library/app", "v1", {oci_type, body});
  shelf.put_manifest("library/app", "v2", {oci_type, body});
  EXPECT_EQ(run(place().remove(app(), at("v1"))), true);
  EXPECT_EQ(run(place().remove(app(), at("v1"))), false);
  EXPECT_EQ(shelf.manifest("library/app", "v2").second, body);
  EXPECT_EQ(server.count("sha256"), 0U);
}

TEST_F(Places, who_cannot_take_a_tag_alone_keeps_it) {
  for (const int status : {400, 405}) {
    server.before_body("DELETE", test::reply(status, ""), 1);
    const auto removed = run(place().remove(app(), at("v1")));
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().kind, FailureKind::denied);
    EXPECT_EQ(removed.error().message,
              "upstream lab: does not delete a tag alone (" + std::to_string(status) + ")");
  }
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(Places, repositories_come_in_pages) {
  for (const auto* name : {"a", "b/c", "d"}) shelf.put_manifest(name, "v1", {oci_type, body});
  std::string seen;
  registry::Page page{.after = "", .limit = 2};
  for (int pages = 0; pages < 5; ++pages) {
    const auto some = run(place().repositories(page));
    ASSERT_TRUE(some) << some.error().message;
    for (const auto& name : some->repositories) seen += name.text() + " ";
    if (some->next.empty()) break;
    page.after = some->next;
  }
  EXPECT_EQ(seen, "a b/c d ");
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(Places, a_catalog_without_links_is_gone_through_all_the_same) {
  server.before_body("last=b", test::reply(200, R"({"repositories":["c"]})"));
  server.before_body("n=2", test::reply(200, R"({"repositories":["a","b"]})"));
  auto some = run(place().repositories({.after = "", .limit = 2}));
  ASSERT_TRUE(some);
  EXPECT_EQ(some->next, "b");
  some = run(place().repositories({.after = "b", .limit = 2}));
  ASSERT_TRUE(some);
  EXPECT_EQ(some->repositories.size(), 1U);
  EXPECT_EQ(some->next, "");
}

TEST_F(Places, a_catalog_that_begins_again_comes_to_an_end) {
  server.before_body("_catalog", test::reply(200, R"({"repositories":["a","b"]})"));
  const auto some = run(place().repositories({.after = "b", .limit = 2}));
  ASSERT_TRUE(some);
  EXPECT_TRUE(some->repositories.empty());
  EXPECT_EQ(some->next, "");
}

TEST_F(Places, a_refused_catalog_is_told_as_such) {
  const auto kind = [this](int status) {
    server.before_body("_catalog", test::reply(status, ""), 1);
    return run(place().repositories({})).error().kind;
  };
  EXPECT_EQ(kind(404), FailureKind::absent);
  EXPECT_EQ(kind(405), FailureKind::absent);
  EXPECT_EQ(kind(401), FailureKind::denied);
  EXPECT_EQ(kind(403), FailureKind::denied);
}

// Rows: U-02 U-14
TEST_F(Places, tokens_are_asked_for_what_is_done) {
  guard();
  log_in();
  shelf.put_blob("library/base", large);
  auto offered = offer(large);
  offered.mount_from = {test::name("library/base")};
  ASSERT_TRUE(run(place().put_blob(app(), std::move(offered))));
  ASSERT_TRUE(run(place().put_manifest(app(), manifest({test::tag("v1")}))));
  ASSERT_TRUE(run(place().manifest(app(), at("v1"))));
  ASSERT_TRUE(run(place().remove(app(), at("v1"))));
  ASSERT_TRUE(run(place().repositories({})));
  const std::string app_scope = "service=lab&scope=repository%3Alibrary%2Fapp%3A";
  EXPECT_EQ(scopes(), (std::vector<std::string>{
                          app_scope + "pull%2Cpush",
                          app_scope + "pull%2Cpush&scope=repository%3Alibrary%2Fbase%3Apull",
                          app_scope + "pull", app_scope + "delete",
                          "service=lab&scope=registry%3Acatalog%3A%2A"}));
}

// Rows: U-02
TEST_F(Places, a_login_in_the_midst_of_an_upload_sends_it_again_from_where_it_began) {
  guard();
  const auto taken = put(large);
  ASSERT_TRUE(taken) << taken.error().message;
  server.before_body("PATCH", test::reply(401, ""), 0);
  EXPECT_EQ(stored(large), large);
}

// Rows: U-03
TEST_F(Places, a_stranger_named_for_an_upload_hears_no_secret) {
  log_in();
  options.private_network = PrivateNetwork::allowed;
  test::FakeUpstream stranger;
  stranger.on(
      "PATCH",
      test::reply(202, "", {{"Location", stranger.url() + "/put?x=1"}, {"Range", "0-8999999"}}));
  stranger.on("PUT", test::reply(201, ""));
  server.before_body("", [&](test::Exchange& exchange) {
    if (exchange.request.header("Authorization") == "-")
      return test::reply(401, "{}", {{"WWW-Authenticate", "Basic realm=\"lab\""}})(exchange);
    if (exchange.request.method == "HEAD") return test::reply(404, "")(exchange);
    test::reply(202, "", {{"Location", stranger.url() + "/patch"}})(exchange);
  });
  const auto taken = put(large);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(stranger.count("PATCH /patch"), 1U);
  EXPECT_EQ(stranger.count("PUT /put?x=1&digest=sha256%3A"), 1U);
  for (const auto& each : stranger.requests()) EXPECT_EQ(each.header("Authorization"), "-");
}

// Rows: U-03
TEST_F(Places, a_change_is_redirected_only_as_it_is) {
  for (const int status : {301, 302, 303}) {
    server.before_body("PUT", test::reply(status, "", {{"Location", server.url() + "/v2/x"}}), 1);
    EXPECT_FALSE(run(place().put_manifest(app(), manifest({test::tag("v1")}))));
  }
  server.before_body("PUT /v2/library/app/manifests/v1",
                     test::reply(307, "", {{"Location", "/v2/library/app/manifests/v2"}}), 1);
  ASSERT_TRUE(run(place().put_manifest(app(), manifest({test::tag("v1")}))));
  EXPECT_EQ(shelf.manifest("library/app", "v2").second, body);
}

}  // namespace
}  // namespace entrepot::upstream::place_test
