// Pushing and deleting by the protocol, against an index and a store in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "house_of_cards.hpp"

namespace entrepot::api::push_test {
namespace {

using auth::Right;
using test::body_of;
using test::header;
using test::HouseOfCards;
using test::TextBody;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr const char* uploads = "/v2/team/app/blobs/uploads/";
constexpr auto everything = auth::Rights(Right::pull) | Right::push | Right::remove;

class Push : public testing::Test {
 protected:
  explicit Push(HouseOfCards::Plan plan) : house(std::move(plan)) {}
  Push() : Push({.gate = test::everybody_may(everything)}) {}

  static std::string digest_of(std::string_view text) {
    return test::ScriptedSource::digest_of(text).text();
  }
  std::string open(const std::string& target = uploads) {
    return header(house.ask("POST", target), "Location");
  }
  void push_blob(const std::string& repository, const std::string& text) {
    const auto target = "/v2/" + repository + "/blobs/uploads/?digest=" + digest_of(text);
    ASSERT_EQ(house.send("POST", target, text).status, 201);
  }
  static std::string image(std::string_view config, std::string_view extra = {}) {
    return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
           R"("config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
           digest_of(config) + R"(","size":)" + std::to_string(config.size()) + R"(},"layers":[])" +
           std::string(extra) + "}";
  }
  http::Reply put(const std::string& target, const std::string& manifest) {
    return house.send("PUT", target, manifest, {{"Content-Type", std::string(type)}});
  }
  static std::string code_of(const http::Reply& reply) {
    const auto error = boost::json::parse(body_of(reply)).at("errors").at(0);
    return std::string(error.at("code").as_string());
  }

  using Fields = HouseOfCards::Fields;
  static constexpr auto type = oci::media_type::oci_manifest;
  HouseOfCards house;
};

TEST_F(Push, post_then_put) {
  const auto opened = house.ask("POST", uploads);
  EXPECT_EQ(opened.status, 202);
  EXPECT_EQ(opened.body_length(), 0U);
  EXPECT_EQ(header(opened, "Range"), "0-0");
  const auto id = header(opened, "Docker-Upload-UUID");
  EXPECT_EQ(id.size(), 32U);
  const auto location = header(opened, "Location");
  EXPECT_EQ(location, uploads + id);

  const auto digest = digest_of("hello");
  const auto done = house.send("PUT", location + "?digest=" + digest, "hello");
  EXPECT_EQ(done.status, 201);
  EXPECT_EQ(header(done, "Location"), "/v2/team/app/blobs/" + digest);
  EXPECT_EQ(header(done, "Docker-Content-Digest"), digest);
  EXPECT_EQ(body_of(house.get(header(done, "Location"))), "hello");
  EXPECT_EQ(house.head(header(done, "Location")).body_length(), 5U);
}

TEST_F(Push, a_single_post) {
  const auto digest = digest_of("hello");
  const auto done = house.send("POST", uploads + std::string("?digest=") + digest, "hello");
  EXPECT_EQ(done.status, 201);
  EXPECT_EQ(body_of(house.get(header(done, "Location"))), "hello");
}

// Rows: P-09, P-11
TEST_F(Push, a_single_post_with_another_digest_leaves_nothing) {
  const auto target = uploads + std::string("?digest=") + digest_of("other");
  const auto refused = house.send("POST", target, "hello");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(code_of(refused), "DIGEST_INVALID");
  EXPECT_EQ(house.get("/v2/team/app/blobs/" + digest_of("other")).status, 404);
  EXPECT_EQ(house.uploads.open_sessions(), 0U);
}

// Rows: P-08
TEST_F(Push, pieces_in_order_and_others_refused_with_the_place_to_go_on) {
  const auto location = open();
  const auto first = house.send("PATCH", location, "01234", {{"Content-Range", "0-4"}});
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(header(first, "Range"), "0-4");
  EXPECT_EQ(header(first, "Location"), location);
  for (const auto range : {"10-14", "0-4", "4-8"}) {
    const auto refused = house.send("PATCH", location, "56789", {{"Content-Range", range}});
    EXPECT_EQ(refused.status, 416) << range;
    EXPECT_EQ(header(refused, "Range"), "0-4");
    EXPECT_EQ(header(refused, "Location"), location);
  }
  for (const auto range : {"-", "5-", "a-b", "9-3"}) {
    EXPECT_EQ(house.send("PATCH", location, "56789", {{"Content-Range", range}}).status, 400);
  }
  EXPECT_EQ(house.send("PATCH", location, "5678", {{"Content-Range", "5-9"}}).status, 400);
  const auto state = house.get(location);
  EXPECT_EQ(state.status, 204);
  EXPECT_EQ(header(state, "Range"), "0-4");
  EXPECT_EQ(header(state, "Location"), location);
  const auto digest = digest_of("0123456789");
  const auto gap =
      house.send("PUT", location + "?digest=" + digest, "89", {{"Content-Range", "8-9"}});
  EXPECT_EQ(gap.status, 416);
  const auto done =
      house.send("PUT", location + "?digest=" + digest, "56789", {{"Content-Range", "5-9"}});
  EXPECT_EQ(done.status, 201);
  EXPECT_EQ(body_of(house.get("/v2/team/app/blobs/" + digest)), "0123456789");
}

TEST_F(Push, a_streamed_piece_has_no_length) {
  const auto location = open();
  TextBody body("streamed", TextBody::Framing::chunked, 3);
  const auto patched = house.send("PATCH", location, body);
  EXPECT_EQ(patched.status, 202);
  EXPECT_EQ(header(patched, "Range"), "0-7");
  EXPECT_EQ(house.ask("PUT", location + "?digest=" + digest_of("streamed")).status, 201);
}

TEST_F(Push, a_body_cut_short_is_told_with_its_route_and_what_came_is_kept) {
  const auto location = open();
  TextBody body("01234567");
  body.cut();
  const auto reply = house.send("PATCH", location, body);
  EXPECT_EQ(reply.trace.route, "upload");
  EXPECT_EQ(reply.trace.repository, "team/app");
  EXPECT_EQ(reply.trace.reference, location.substr(std::string(uploads).size()));
  EXPECT_EQ(header(house.get(location), "Range"), "0-7");
  TextBody manifest("{");
  manifest.cut();
  const Fields fields{{"Content-Type", std::string(type)}};
  const auto put = house.send("PUT", "/v2/team/app/manifests/v1", manifest, fields);
  EXPECT_EQ(put.trace.route, "manifest");
}

TEST_F(Push, a_finished_put_may_be_said_again) {
  const auto location = open();
  const auto target = location + "?digest=" + digest_of("hello");
  EXPECT_EQ(house.send("PUT", target, "hello").status, 201);
  EXPECT_EQ(house.send("PUT", target, "hello").status, 201);
  EXPECT_EQ(house.ask("PUT", target).status, 201);
  EXPECT_EQ(code_of(house.ask("PUT", location + "?digest=" + digest_of("x"))),
            "BLOB_UPLOAD_UNKNOWN");
}

TEST_F(Push, an_upload_can_be_cancelled_once) {
  const auto location = open();
  EXPECT_EQ(house.ask("DELETE", location).status, 204);
  EXPECT_EQ(house.ask("DELETE", location).status, 404);
  for (const auto method : {"GET", "PATCH"}) {
    EXPECT_EQ(code_of(house.send(method, location, "x")), "BLOB_UPLOAD_UNKNOWN") << method;
  }
}

// Rows: P-05, P-06
TEST_F(Push, an_upload_is_its_owners_in_its_repository) {
  house.who = "alice";
  const auto location = open();
  const auto id = location.substr(std::string(uploads).size());
  const auto digest = digest_of("hello");
  struct {
    const char* who;
    std::string target;
  } const others[] = {
      {"bob", location},
      {"", location},
      {"alice", "/v2/team/other/blobs/uploads/" + id},
      {"alice", uploads + std::string(32, '0')},
      {"alice", uploads + std::string("x")},
      {"alice", uploads + std::string(10'000, 'a')},
  };
  for (const auto& each : others) {
    house.who = each.who;
    EXPECT_EQ(house.get(each.target).status, 404) << each.who << each.target;
    EXPECT_EQ(code_of(house.send("PATCH", each.target, "evil")), "BLOB_UPLOAD_UNKNOWN");
    EXPECT_EQ(house.send("PUT", each.target + "?digest=" + digest, "hello").status, 404);
    EXPECT_EQ(house.ask("DELETE", each.target).status, 404);
  }
  house.who = "alice";
  EXPECT_EQ(house.send("PUT", location + "?digest=" + digest, "hello").status, 201);
}

// Rows: P-09, M-02, M-04
TEST_F(Push, digests_we_do_not_know) {
  const auto location = open();
  for (const auto* digest : {"", "sha256:abc", "md5:0123", "x"}) {
    const auto refused = house.ask("PUT", location + "?digest=" + digest);
    EXPECT_EQ(refused.status, 400) << digest;
    EXPECT_EQ(code_of(refused), "DIGEST_INVALID");
  }
  EXPECT_EQ(house.ask("PUT", location).status, 400);
  EXPECT_EQ(house.ask("POST", uploads + std::string("?digest-algorithm=md5")).status, 400);
  EXPECT_EQ(house.ask("POST", uploads + std::string("?mount=sha256:x&from=a")).status, 400);
  const auto strong = open(uploads + std::string("?digest-algorithm=sha512"));
  const auto digest =
      oci::Digest::of(oci::Algorithm::sha512, base::as_bytes(std::string_view("x")));
  EXPECT_EQ(house.send("PUT", strong + "?digest=" + digest.text(), "x").status, 201);
}

// Rows: A-03
TEST(Mount, is_from_what_the_caller_may_pull) {
  auth::GateOptions gate;
  gate.rules = {test::rule({test::user("alice")}, everything, "team/**"),
                test::rule({test::user("bob")}, everything, "secret/**")};
  HouseOfCards house({.gate = gate});
  const auto digest = test::ScriptedSource::digest_of("hello").text();
  const auto push = [&](const std::string& who, const std::string& repository) {
    house.who = who;
    const auto target = "/v2/" + repository + "/blobs/uploads/?digest=" + digest;
    ASSERT_EQ(house.send("POST", target, "hello").status, 201);
  };
  push("bob", "secret/app");
  house.who = "alice";
  const auto mount = uploads + ("?mount=" + digest);
  const std::string nowhere = uploads + std::string("?mount=sha256:") + std::string(64, '0');
  for (const auto& target : {mount + "&from=secret/app", mount, mount + "&from=team/absent",
                             mount + "&from=UPPER", nowhere, nowhere + "&from=secret/app"}) {
    const auto reply = house.ask("POST", target);
    EXPECT_EQ(reply.status, 202) << target;
    EXPECT_THAT(header(reply, "Location"), StartsWith(uploads));
    EXPECT_EQ(reply.headers.fields().size(), house.ask("POST", nowhere).headers.fields().size());
  }
  EXPECT_EQ(house.head("/v2/team/app/blobs/" + digest).status, 404);
  push("alice", "team/source");
  for (const auto* from : {"&from=team/source", ""}) {
    const auto reply = house.ask("POST", mount + from);
    EXPECT_EQ(reply.status, 201) << from;
    EXPECT_EQ(header(reply, "Location"), "/v2/team/app/blobs/" + digest);
    EXPECT_EQ(header(reply, "Docker-Content-Digest"), digest);
    EXPECT_EQ(house.head("/v2/team/app/blobs/" + digest).status, 200);
    EXPECT_EQ(house.get("/v2/team/app/blobs/" + digest).status, 200);
  }
}

TEST_F(Push, a_manifest_by_tag_and_by_digest_with_tags) {
  push_blob("team/app", "{}");
  const auto manifest = image("{}");
  const auto digest = digest_of(manifest);
  const auto by_tag = put("/v2/team/app/manifests/v1", manifest);
  EXPECT_EQ(by_tag.status, 201);
  EXPECT_EQ(header(by_tag, "Location"), "/v2/team/app/manifests/" + digest);
  EXPECT_EQ(header(by_tag, "Docker-Content-Digest"), digest);
  EXPECT_EQ(header(by_tag, "OCI-Tag"), "(none)");
  EXPECT_EQ(header(by_tag, "OCI-Subject"), "(none)");
  const auto by_digest =
      put("/v2/team/app/manifests/" + digest + "?tag=1.2.3&tag=1.2&tag=latest", manifest);
  EXPECT_EQ(by_digest.status, 201);
  EXPECT_EQ(header(by_digest, "OCI-Tag"), "1.2.3, 1.2, latest");
  for (const std::string reference : {"v1", "1.2.3", "1.2", "latest", digest.c_str()}) {
    const auto pulled = house.get("/v2/team/app/manifests/" + reference);
    EXPECT_EQ(body_of(pulled), manifest) << reference;
    EXPECT_EQ(header(pulled, "Content-Type"), type);
  }
  EXPECT_THAT(body_of(house.get("/v2/team/app/tags/list")),
              HasSubstr(R"("tags":["1.2","1.2.3","latest","v1"])"));
  EXPECT_THAT(house.hub.asked, IsEmpty());
}

TEST_F(Push, a_subject_is_answered_and_listed) {
  push_blob("team/app", "{}");
  const auto subject = digest_of("not here");
  const auto manifest =
      image("{}", R"(,"artifactType":"x/sbom","subject":{"mediaType":")" + std::string(type) +
                      R"(","digest":")" + subject + R"(","size":8})");
  const auto reply = put("/v2/team/app/manifests/" + digest_of(manifest), manifest);
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(header(reply, "OCI-Subject"), subject);
  const auto list = house.get("/v2/team/app/referrers/" + subject);
  EXPECT_THAT(body_of(list), HasSubstr(digest_of(manifest)));
}

// Rows: M-03, M-05, M-08
TEST_F(Push, manifests_that_are_refused) {
  push_blob("team/app", "{}");
  const auto manifest = image("{}");
  struct {
    std::string reference;
    std::string bytes;
    int status;
    std::string code;
  } const cases[] = {
      {digest_of("other"), manifest, 400, "DIGEST_INVALID"},
      {"sha256:baddigeststring", manifest, 400, "DIGEST_INVALID"},
      {".bad", manifest, 400, "TAG_INVALID"},
      {digest_of(manifest) + "?tag=.bad", manifest, 400, "TAG_INVALID"},
      {"v1", "no json", 400, "MANIFEST_INVALID"},
      {"v1", std::string(oci::max_manifest_bytes + 1, ' '), 413, "MANIFEST_INVALID"},
      {"v1", image("missing"), 404, "MANIFEST_BLOB_UNKNOWN"},
  };
  for (const auto& each : cases) {
    const auto reply = put("/v2/team/app/manifests/" + each.reference, each.bytes);
    EXPECT_EQ(reply.status, each.status) << each.reference;
    EXPECT_EQ(code_of(reply), each.code) << each.reference;
  }
  EXPECT_EQ(house.send("PUT", "/v2/team/app/manifests/v1", manifest).status, 400);
  EXPECT_EQ(house.get("/v2/team/app/manifests/v1").status, 404);
}

// Rows: M-05
TEST_F(Push, a_manifest_too_large_by_its_own_word_is_not_read) {
  TextBody body(std::string(oci::max_manifest_bytes + 1, ' '));
  EXPECT_EQ(house.send("PUT", "/v2/team/app/manifests/v1", body, {{"Content-Type", "a/b"}}).status,
            413);
  EXPECT_FALSE(body.touched());
}

// Rows: A-05
TEST(Rights, who_may_only_create_moves_no_tag) {
  auth::GateOptions gate;
  gate.rules = {test::rule({test::user("ci")}, auth::Rights(Right::pull) | Right::create),
                test::rule({test::user("lead")}, auth::Rights(Right::pull) | Right::push)};
  HouseOfCards house({.gate = gate});
  house.who = "ci";
  const auto push = [&](const std::string& config, const std::string& reference) {
    const auto digest = test::ScriptedSource::digest_of(config).text();
    house.send("POST", uploads + ("?digest=" + digest), config);
    const auto manifest =
        R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
        R"("config":{"mediaType":"a/b","digest":")" +
        digest + R"(","size":)" + std::to_string(config.size()) + R"(},"layers":[]})";
    const auto target = reference.starts_with('?')
                            ? test::ScriptedSource::digest_of(manifest).text() + reference
                            : reference;
    return house
        .send("PUT", "/v2/team/app/manifests/" + target, manifest,
              {{"Content-Type", std::string(oci::media_type::oci_manifest)}})
        .status;
  };
  EXPECT_EQ(push("{}", "latest"), 201);
  EXPECT_EQ(push("{}", "latest"), 201);
  EXPECT_EQ(push("{ }", "latest"), 403);
  EXPECT_EQ(push("{ }", "?tag=fresh&tag=latest"), 403);
  EXPECT_EQ(push("{ }", "next"), 201);
  EXPECT_EQ(house.ask("POST", "/api/v1/rollback?repository=team/app&tag=latest").status, 403);
  house.who = "lead";
  EXPECT_EQ(push("{ }", "latest"), 201);
}

TEST_F(Push, deletions) {
  push_blob("team/app", "{}");
  const auto manifest = image("{}");
  const auto digest = digest_of(manifest);
  const auto path = "/v2/team/app/manifests/";
  ASSERT_EQ(put(std::string(path) + "v1", manifest).status, 201);
  ASSERT_EQ(put(std::string(path) + "v2", manifest).status, 201);
  EXPECT_EQ(house.ask("DELETE", std::string(path) + "v1").status, 202);
  EXPECT_EQ(house.ask("DELETE", std::string(path) + "v1").status, 404);
  EXPECT_EQ(house.get(std::string(path) + "v1").status, 404);
  EXPECT_EQ(house.get(std::string(path) + "v2").status, 200);
  const auto deleted = house.ask("DELETE", path + digest);
  EXPECT_EQ(deleted.status, 202);
  EXPECT_EQ(deleted.body_length(), 0U);
  EXPECT_EQ(house.get(std::string(path) + "v2").status, 404);
  EXPECT_EQ(code_of(house.ask("DELETE", path + digest)), "MANIFEST_UNKNOWN");
  EXPECT_EQ(body_of(house.get("/v2/team/app/tags/list")), R"({"name":"team/app","tags":[]})");
  EXPECT_EQ(house.ask("DELETE", "/v2/team/app/blobs/" + digest_of("{}")).status, 202);
  EXPECT_EQ(house.get("/v2/team/app/blobs/" + digest_of("{}")).status, 404);
  EXPECT_EQ(code_of(house.ask("DELETE", "/v2/team/app/blobs/" + digest_of("{}"))), "BLOB_UNKNOWN");
  ASSERT_EQ(house.ask("DELETE", "/v2/acme/none/manifests/v1").status, 404);
}

HouseOfCards::Plan without_deletion() {
  HouseOfCards::Plan plan{.gate = test::everybody_may(everything)};
  plan.policy.deletion = registry::Deletion::refused;
  return plan;
}

class PushWithoutDeletion : public Push {
 protected:
  PushWithoutDeletion() : Push(without_deletion()) {}
};

// Rows: A-06
TEST_F(PushWithoutDeletion, every_deletion_is_405) {
  push_blob("team/app", "{}");
  const auto manifest = image("{}");
  ASSERT_EQ(put("/v2/team/app/manifests/v1", manifest).status, 201);
  for (const auto& target :
       {std::string("/v2/team/app/manifests/v1"), "/v2/team/app/manifests/" + digest_of(manifest),
        "/v2/team/app/blobs/" + digest_of("{}"), open()}) {
    const auto reply = house.ask("DELETE", target);
    EXPECT_EQ(reply.status, 405) << target;
    EXPECT_EQ(code_of(reply), "UNSUPPORTED");
    EXPECT_FALSE(header(reply, "Allow").contains("DELETE")) << header(reply, "Allow");
  }
  EXPECT_EQ(house.get("/v2/team/app/manifests/v1").status, 200);
}

TEST_F(Push, read_only_refuses_changes_before_their_body) {
  const auto location = open();
  house.policy.set_read_only(true);
  TextBody body("hello");
  EXPECT_EQ(house.send("PATCH", location, body).status, 403);
  EXPECT_FALSE(body.touched());
  EXPECT_EQ(house.ask("POST", uploads).status, 403);
  EXPECT_EQ(house.ask("DELETE", "/v2/team/app/manifests/v1").status, 403);
  EXPECT_EQ(house.get(location).status, 204);
  house.policy.set_read_only(false);
  EXPECT_EQ(house.send("PATCH", location, "hello").status, 202);
}

// Rows: C-17
TEST_F(Push, an_unclaimed_name_becomes_local_with_its_first_content) {
  EXPECT_EQ(house.get("/v2/team/app/manifests/v1").status, 200);
  EXPECT_FALSE(house.hub.asked.empty());
  house.hub.asked.clear();
  // What upstream has is not what a push finds here.
  EXPECT_EQ(house.head("/v2/team/app/blobs/" + house.hub.blob_digest().text()).status, 404);
  EXPECT_THAT(house.hub.asked, IsEmpty());
  push_blob("team/app", "{}");
  EXPECT_EQ(house.get("/v2/team/app/manifests/v1").status, 404);
  EXPECT_EQ(house.get("/v2/team/app/blobs/" + house.hub.blob_digest().text()).status, 404);
  EXPECT_THAT(house.hub.asked, IsEmpty());
}

// Rows: C-17
TEST_F(Push, a_name_that_was_local_once_stays_so) {
  push_blob("team/app", "{}");
  ASSERT_EQ(house.ask("DELETE", "/v2/team/app/blobs/" + digest_of("{}")).status, 202);
  EXPECT_EQ(house.get("/v2/team/app/manifests/v1").status, 404);
  EXPECT_EQ(body_of(house.get("/v2/team/app/tags/list")), R"({"name":"team/app","tags":[]})");
  EXPECT_EQ(body_of(house.get("/v2/_catalog")), R"({"repositories":[]})");
  EXPECT_THAT(house.hub.asked, IsEmpty());
}

// Rows: C-17
TEST_F(Push, what_is_held_of_the_mirrored_name_need_not_be_brought) {
  const auto digest = test::ScriptedSource::digest_of("{}");
  house.store.put(digest, "{}");
  test::run_task(house.index.write([&](index::Batch& batch) {
    index::put_blob(batch, digest, 2, {});
    index::link(batch, *oci::RepositoryName::parse("hub/team/app"), index::RepositoryKind::mirrored,
                digest, {});
  }));
  EXPECT_EQ(house.head("/v2/team/app/blobs/" + digest.text()).status, 200);
  EXPECT_TRUE(house.leases.leased(digest));
  EXPECT_EQ(put("/v2/team/app/manifests/v1", image("{}")).status, 201);
  EXPECT_EQ(body_of(house.get("/v2/team/app/blobs/" + digest.text())), "{}");
  EXPECT_THAT(house.hub.asked, IsEmpty());
}

TEST(Lease, is_for_who_may_push_to_what_answers) {
  auth::GateOptions gate;
  gate.rules = {test::rule({{}}, Right::pull),
                test::rule({test::user("ci")}, auth::Rights(Right::pull) | Right::push)};
  HouseOfCards house({.gate = gate});
  const auto digest = test::ScriptedSource::digest_of("hello");
  house.store.put(digest, "hello");
  test::run_task(house.index.write([&](index::Batch& batch) {
    index::put_blob(batch, digest, 5, {});
    index::link(batch, *oci::RepositoryName::parse("team/app"), index::RepositoryKind::local,
                digest, {});
  }));
  const auto target = "/v2/team/app/blobs/" + digest.text();
  EXPECT_EQ(house.head(target).status, 200);
  EXPECT_FALSE(house.leases.leased(digest));
  house.who = "ci";
  EXPECT_EQ(house.head(target).status, 200);
  EXPECT_TRUE(house.leases.leased(digest));
}

TEST_F(Push, a_full_disk_is_507) {
  house.store.full_after(3);
  const auto location = open();
  const auto reply = house.send("PATCH", location, "too much");
  EXPECT_EQ(reply.status, 507);
  EXPECT_EQ(code_of(reply), "UNAVAILABLE");
}

}  // namespace
}  // namespace entrepot::api::push_test
