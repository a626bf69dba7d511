#include <gtest/gtest.h>

#include "unit/upstream/lab.hpp"

namespace entrepot::upstream::manifests_test {
namespace {

using registry::FailureKind;

const std::string body = R"({"schemaVersion":2,"layers":[]})";

TEST(Manifests, fetches_the_bytes_exactly) {
  Lab lab;
  lab.server.on("GET /v2/library/app/manifests/v1", manifest_reply(body));
  const auto answer = lab.run(lab.remote().manifest(app(), at("v1")));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->bytes, body);
  EXPECT_EQ(answer->digest, digest_of(body));
  EXPECT_EQ(answer->media_type, oci_type);
}

// Rows: U-11, R-08
TEST(Manifests, asks_with_headers_of_its_own_only) {
  Lab lab;
  lab.server.on("GET", manifest_reply(body));
  lab.run(lab.remote().manifest(app(), at("v1")));
  const auto request = lab.server.last();
  EXPECT_EQ(request.header("Accept-Encoding"), "identity");
  EXPECT_TRUE(request.header("User-Agent").starts_with("entrepot/"));
  EXPECT_NE(request.header("Accept").find(oci_type), std::string::npos);
  EXPECT_NE(request.header("Accept").find(index_type), std::string::npos);
  EXPECT_EQ(request.header("Authorization"), "-");
  EXPECT_EQ(request.headers.size(), 4U);  // Host and these three
}

TEST(Manifests, resolves_by_head) {
  Lab lab;
  lab.server.on("HEAD /v2/library/app/manifests/v1", manifest_reply(body));
  const auto answer = lab.run(lab.remote().resolve(app(), at("v1")));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->digest, digest_of(body));
  EXPECT_EQ(answer->size, body.size());
  EXPECT_EQ(lab.server.count("GET"), 0U);
}

TEST(Manifests, a_head_that_does_not_tell_enough_is_followed_by_a_get) {
  const std::vector<test::Action> heads = {
      test::reply(200, body, {{"Content-Type", oci_type}}),
      test::reply(200, body, {{"Docker-Content-Digest", digest_of(body).text()}}),
      test::reply(405, ""),
      [](test::Exchange& exchange) {
        exchange.send(test::head_text(200, {{"Content-Type", oci_type},
                                            {"Docker-Content-Digest", digest_of(body).text()},
                                            {"Connection", "close"}}));
        exchange.close();
      },
  };
  for (const auto& head : heads) {
    Lab lab;
    lab.server.on("HEAD", head);
    lab.server.on("GET", manifest_reply(body));
    const auto answer = lab.run(lab.remote().resolve(app(), at("v1")));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->digest, digest_of(body));
    EXPECT_EQ(lab.server.requests().size(), 2U);
  }
}

struct RefusedCase {
  const char* name;
  test::Action action;
  FailureKind kind;
};

// Rows: C-12, C-13, R-08, H-16
TEST(Manifests, only_a_verified_200_is_believed) {
  const auto typed = [](std::string type) {
    return test::reply(200, body, {{"Content-Type", std::move(type)}});
  };
  const RefusedCase cases[] = {
      {"401", test::reply(401, ""), FailureKind::denied},
      {"403", test::reply(403, ""), FailureKind::denied},
      {"404", test::reply(404, ""), FailureKind::absent},
      {"429", test::reply(429, ""), FailureKind::throttled},
      {"500", test::reply(500, ""), FailureKind::broken},
      {"503", test::reply(503, ""), FailureKind::broken},
      {"captive portal", test::reply(200, "<html>", {{"Content-Type", "text/html"}}),
       FailureKind::broken},
      {"no type", test::reply(200, body), FailureKind::broken},
      {"other type", typed("application/json"), FailureKind::broken},
      {"wrong digest",
       test::reply(
           200, body,
           {{"Content-Type", oci_type}, {"Docker-Content-Digest", digest_of("other").text()}}),
       FailureKind::broken},
      {"odd digest",
       test::reply(200, body, {{"Content-Type", oci_type}, {"Docker-Content-Digest", "md5:abc"}}),
       FailureKind::broken},
      {"encoded",
       test::reply(200, body, {{"Content-Type", oci_type}, {"Content-Encoding", "gzip"}}),
       FailureKind::broken},
      {"too large", test::reply(200, std::string(5 << 20, ' '), {{"Content-Type", oci_type}}),
       FailureKind::broken},
      {"cut",
       test::raw("HTTP/1.1 200 OK\r\nContent-Type: " + oci_type +
                 "\r\nContent-Length: 100\r\n\r\n{"),
       FailureKind::broken},
      {"both framings",
       test::raw("HTTP/1.1 200 OK\r\nContent-Type: " + oci_type +
                 "\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"),
       FailureKind::broken},
  };
  for (const auto& each : cases) {
    Lab lab;
    lab.options.retries = 0;
    lab.server.on("GET", each.action);
    const auto answer = lab.run(lab.remote().manifest(app(), at("v1")));
    ASSERT_FALSE(answer) << each.name;
    EXPECT_EQ(answer.error().kind, each.kind) << each.name;
    EXPECT_TRUE(answer.error().message.starts_with("upstream lab: ")) << answer.error().message;
  }
}

// Rows: C-13
TEST(Manifests, a_digest_reference_is_proved_by_the_bytes) {
  Lab lab;
  lab.server.on("GET", test::reply(200, body, {{"Content-Type", oci_type}}));
  EXPECT_TRUE(lab.run(lab.remote().manifest(app(), at(digest_of(body).text()))));
  const auto wrong = lab.run(lab.remote().manifest(app(), at(digest_of("else").text())));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, FailureKind::broken);
  EXPECT_NE(lab.metrics.render().find("entrepot_upstream_digest_mismatch_total"),
            std::string::npos);
}

// Rows: N-02
TEST(Manifests, tries_again_what_may_pass) {
  Lab lab;
  lab.server.on("GET", test::reply(503, ""), 1);
  lab.server.on("GET", test::raw(""), 1);
  lab.server.on("GET", manifest_reply(body));
  EXPECT_TRUE(lab.run(lab.remote().manifest(app(), at("v1"))));
  EXPECT_EQ(lab.server.requests().size(), 3U);
}

// Rows: N-03
TEST(Manifests, does_not_ask_again_before_retry_after) {
  Lab lab;
  lab.server.on("GET", test::reply(429, "", {{"Retry-After", "1000000000"}}));
  const auto first = lab.run(lab.remote().manifest(app(), at("v1")));
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().retry_after, std::chrono::seconds(600));
  const auto second = lab.run(lab.remote().manifest(app(), at("v2")));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, FailureKind::throttled);
  EXPECT_GE(second.error().retry_after, std::chrono::seconds(590));
  EXPECT_EQ(lab.server.requests().size(), 1U);
}

// Rows: N-02
TEST(Manifests, a_dead_upstream_is_asked_at_most_twice_as_often_as_we_are) {
  Lab lab;
  lab.server.on("GET", test::reply(503, ""));
  for (int i = 0; i < 20; ++i) lab.run(lab.remote().manifest(app(), at("v1")));
  EXPECT_LE(lab.server.requests().size(), 40U);
}

TEST(Manifests, the_next_url_answers_when_the_first_does_not) {
  for (const auto& first : {test::reply(404, ""), test::reply(503, ""), test::reply(403, ""),
                            test::raw(""), test::reply(200, "<html>")}) {
    Lab lab;
    test::FakeUpstream second;
    lab.options.urls.push_back(second.url() + "/prefix/v2/");
    lab.server.on("GET", first);
    second.on("GET /prefix/v2/library/app/manifests/v1", manifest_reply(body));
    EXPECT_TRUE(lab.run(lab.remote().manifest(app(), at("v1"))));
    EXPECT_EQ(lab.server.requests().size(), 1U);
  }
}

TEST(Manifests, absent_only_when_every_url_says_so) {
  Lab lab;
  test::FakeUpstream second;
  lab.options.urls.push_back(second.url());
  lab.options.retries = 0;
  lab.server.on("GET", test::reply(404, ""));
  second.on("GET", test::reply(503, ""), 1);
  second.on("GET", test::reply(404, ""));
  EXPECT_EQ(lab.run(lab.remote().manifest(app(), at("v1"))).error().kind, FailureKind::broken);
  EXPECT_EQ(lab.run(lab.remote().manifest(app(), at("v1"))).error().kind, FailureKind::absent);
}

// Rows: N-01
TEST(Manifests, an_upstream_that_says_nothing_is_not_waited_for_twice) {
  Lab lab;
  lab.options.transport.first_byte = std::chrono::milliseconds(200);
  lab.server.on("GET", test::hang());
  const auto answer = lab.run(lab.remote().manifest(app(), at("v1")));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, FailureKind::timeout);
  EXPECT_EQ(lab.server.requests().size(), 1U);
}

}  // namespace
}  // namespace entrepot::upstream::manifests_test
