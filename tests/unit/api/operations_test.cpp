// What the operator asks for under /api/v1.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "house_of_cards.hpp"

namespace entrepot::api::operations_test {
namespace {

using test::body_of;
using test::header;
using test::HouseOfCards;
using testing::ElementsAre;
using testing::HasSubstr;

namespace json = boost::json;

class Operations : public testing::Test {
 protected:
  Operations() { house.via = http::Via::control_socket; }

  static oci::Digest digest_of(std::string_view text) {
    return test::ScriptedSource::digest_of(text);
  }
  json::value ask(const std::string& method, const std::string& target, std::string body = {}) {
    const auto reply = house.send(method, target, std::move(body));
    EXPECT_LT(reply.status, 300) << method << ' ' << target << body_of(reply);
    EXPECT_EQ(header(reply, "Cache-Control"), "no-store");
    return json::parse(body_of(reply));
  }
  int status(const std::string& method, const std::string& target, std::string body = {}) {
    return house.send(method, target, std::move(body)).status;
  }
  // A manifest of that text under a tag of team/app, pushed by `who`.
  void hold(const std::string& text, const std::string& who) {
    const auto name = *oci::RepositoryName::parse("team/app");
    const auto manifest = oci::parse_manifest(text, oci::media_type::oci_index).value();
    house.clock.advance(std::chrono::seconds(1));
    test::run_task(house.index.write([&](index::Batch& batch) {
      const auto now = house.clock.wall();
      index::put_manifest(batch, name, index::RepositoryKind::local, digest_of(text), text,
                          manifest, now);
      index::set_tag(batch, name, *oci::Tag::parse("v1"), digest_of(text), now, index::Cause::push,
                     who);
    }));
  }

  const std::string older = R"({"schemaVersion":2,"manifests":[]})";
  const std::string newer = R"({"schemaVersion":2,"manifests":[] })";
  HouseOfCards house;
};

TEST_F(Operations, a_tags_history_is_told_newest_first) {
  hold(older, "alice");
  hold(newer, "bob");
  const auto told = ask("GET", "/api/v1/history?repository=team/app&tag=v1");
  EXPECT_EQ(told.at("repository").as_string(), "team/app");
  EXPECT_EQ(told.at("tag").as_string(), "v1");
  const auto& changes = told.at("changes").as_array();
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].at("who").as_string(), "bob");
  EXPECT_EQ(changes[0].at("cause").as_string(), "push");
  EXPECT_EQ(changes[0].at("from").as_string(), digest_of(older).text());
  EXPECT_EQ(changes[0].at("to").as_string(), digest_of(newer).text());
  EXPECT_TRUE(changes[0].at("held").as_bool());
  EXPECT_EQ(changes[0].at("time").as_string(), "2001-09-09T01:46:42Z");
  EXPECT_TRUE(changes[1].at("from").is_null());
  const auto first = ask("GET", "/api/v1/history?repository=team/app&tag=v1&n=1");
  const auto next = first.at("next").to_number<std::uint64_t>();
  const auto rest =
      ask("GET", "/api/v1/history?repository=team/app&tag=v1&before=" + std::to_string(next));
  ASSERT_EQ(rest.at("changes").as_array().size(), 1U);
  EXPECT_EQ(rest.at("changes").at(0).at("who").as_string(), "alice");
  EXPECT_EQ(status("GET", "/api/v1/history?repository=team/app"), 400);
  EXPECT_EQ(status("GET", "/api/v1/history?tag=v1"), 400);
  EXPECT_EQ(status("GET", "/api/v1/history?repository=team/app&tag=v1&n=x"), 400);
}

TEST_F(Operations, a_tag_is_rolled_back) {
  hold(older, "alice");
  hold(newer, "bob");
  const auto told = ask("POST", "/api/v1/rollback?repository=team/app&tag=v1");
  EXPECT_EQ(told.at("digest").as_string(), digest_of(older).text());
  EXPECT_EQ(body_of(house.get("/v2/team/app/manifests/v1")), older);
  ask("POST", "/api/v1/rollback?repository=team/app&tag=v1&digest=" + digest_of(newer).text());
  EXPECT_EQ(body_of(house.get("/v2/team/app/manifests/v1")), newer);
  EXPECT_EQ(status("POST", "/api/v1/rollback?repository=team/app&tag=v1&digest=sha256:" +
                               std::string(64, '0')),
            404);
  EXPECT_EQ(status("POST", "/api/v1/rollback?repository=team/app&tag=absent"), 404);
}

TEST_F(Operations, a_repository_is_deleted) {
  hold(older, "alice");
  EXPECT_EQ(status("DELETE", "/api/v1/repositories?name=team/app"), 204);
  EXPECT_EQ(status("DELETE", "/api/v1/repositories?name=team/app"), 404);
  EXPECT_EQ(status("DELETE", "/api/v1/repositories?name=UPPER"), 400);
  EXPECT_EQ(status("DELETE", "/api/v1/repositories"), 400);
}

TEST_F(Operations, read_only_is_switched) {
  EXPECT_FALSE(ask("GET", "/api/v1/read-only").at("read_only").as_bool());
  EXPECT_TRUE(ask("PUT", "/api/v1/read-only", R"({"read_only":true})").at("read_only").as_bool());
  EXPECT_TRUE(house.policy.read_only());
  for (const auto* body : {"", "{}", "true", R"({"read_only":1})", R"({"read_only":)"}) {
    EXPECT_EQ(status("PUT", "/api/v1/read-only", body), 400) << body;
  }
  EXPECT_TRUE(house.policy.read_only());
  ask("PUT", "/api/v1/read-only", R"({"read_only":false})");
  EXPECT_FALSE(house.policy.read_only());
}

TEST_F(Operations, usage_is_told_in_pages) {
  hold(older, "alice");
  const auto told = ask("GET", "/api/v1/usage?prefix=team/");
  ASSERT_EQ(told.at("repositories").as_array().size(), 1U);
  const auto& one = told.at("repositories").at(0);
  EXPECT_EQ(one.at("name").as_string(), "team/app");
  EXPECT_EQ(one.at("bytes").to_number<std::size_t>(), older.size());
  EXPECT_EQ(one.at("tags"), 1);
  EXPECT_EQ(one.at("links"), 1);
  house.hold("team/bpp");
  const auto page = house.get("/api/v1/usage?prefix=team/&n=1");
  EXPECT_EQ(header(page, "Link"),
            R"(</api/v1/usage?n=1&last=team%2Fapp&prefix=team%2F>; rel="next")");
  EXPECT_EQ(ask("GET", "/api/v1/usage?prefix=x").at("repositories").as_array().size(), 0U);
}

TEST_F(Operations, orders_become_jobs_that_can_be_watched) {
  struct {
    std::string target;
    std::string ordered;
  } const orders[] = {
      {"/api/v1/collections", "collection"},
      {"/api/v1/collections?dry_run=true", "dry run"},
      {"/api/v1/adoptions?directory=/old&files=copy", "adopt /old"},
      {"/api/v1/exports?repository=hub/app&reference=v1&directory=/to",
       "export library/app to /to"},
      {"/api/v1/wants?file=/w&repository=team/**", "want /w"},
      {"/api/v1/bundles?directory=/b&reference=app:1&reference=app:2&volume_size=1MiB&parity=1",
       "bundle 2 in 1048576"},
      {"/api/v1/bundle-applications?path=/b/1.tar&path=/b/2.tar", "apply 2"},
  };
  for (const auto& each : orders) {
    const auto reply = house.ask("POST", each.target);
    EXPECT_EQ(reply.status, 202) << each.target;
    EXPECT_EQ(house.ordered.back(), each.ordered);
    const auto id = json::parse(body_of(reply)).at("job").to_number<std::uint64_t>();
    EXPECT_EQ(header(reply, "Location"), "/api/v1/jobs/" + std::to_string(id));
    json::value job;
    for (int i = 0; i < 10 && (i == 0 || job.at("state").as_string() == "running"); ++i) {
      job = ask("GET", header(reply, "Location") + "?wait=5");
    }
    EXPECT_EQ(job.at("state").as_string(), "done") << each.target;
    EXPECT_EQ(job.at("summary").at("blobs"), 1);
    EXPECT_EQ(job.at("lines").at(0).at("kind").as_string(), "blob");
    EXPECT_EQ(job.at("next_line"), 1);
  }
  EXPECT_EQ(ask("GET", "/api/v1/jobs").at("jobs").as_array().size(), std::size(orders));
  EXPECT_EQ(status("GET", "/api/v1/jobs/99"), 404);
  EXPECT_EQ(status("GET", "/api/v1/jobs/x"), 404);
  EXPECT_EQ(status("DELETE", "/api/v1/jobs/99"), 404);
}

// A list in the body of an order, as long as it may be and longer.
std::string list_of(std::string_view key, std::size_t count) {
  json::array list;
  for (std::size_t i = 0; i < count; ++i) list.emplace_back("app:" + std::to_string(i));
  return json::serialize(json::object{{key, std::move(list)}});
}

TEST_F(Operations, what_is_many_comes_in_the_body) {
  struct {
    std::string target;
    std::string key;
    std::string ordered;
  } const orders[] = {
      {"/api/v1/wants?file=/w", "repositories", "want /w"},
      {"/api/v1/bundles?directory=/b&reference=app:x&volume_size=1MiB", "references",
       "bundle 20001 in 1048576"},
      {"/api/v1/bundle-applications", "paths", "apply 20000"},
  };
  for (const auto& [target, key, ordered] : orders) {
    EXPECT_EQ(status("POST", target, list_of(key, 20'000)), 202) << target;
    EXPECT_EQ(house.ordered.back(), ordered);
    EXPECT_EQ(status("POST", target, list_of(key, 20'001)), 413) << target;
    EXPECT_EQ(status("POST", target, std::string((4 << 20) + 1, ' ')), 413) << target;
    for (const auto* body : {"[]", "{", "1", R"({"refs":["a"]})"}) {
      EXPECT_EQ(status("POST", target, body), 400) << target << body;
    }
    for (const auto* list : {R"("a")", "[1]", R"([""])", "null"}) {
      EXPECT_EQ(status("POST", target, "{\"" + key + "\":" + list + "}"), 400) << target << list;
    }
  }
  EXPECT_EQ(house.ordered.size(), std::size(orders));
  EXPECT_EQ(status("POST", "/api/v1/warmings", list_of("references", 20'001)), 413);
}

TEST_F(Operations, warming_tells_of_every_image) {
  house.hub.manifest_bytes =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[],)"
      R"("config":{"mediaType":"application/x","size":10,"digest":")" +
      house.hub.blob_digest().text() + R"("}})";
  const auto started = ask("POST", "/api/v1/warmings",
                           R"({"references":["hub/team/app:v1","elsewhere.example/app","..bad"]})");
  const auto path = "/api/v1/jobs/" + std::to_string(started.at("job").to_number<int>());
  json::value job;
  for (int i = 0; i < 10 && (i == 0 || job.at("state").as_string() == "running"); ++i) {
    job = ask("GET", path + "?wait=5");
  }
  EXPECT_EQ(job.at("state").as_string(), "done");
  EXPECT_EQ(job.at("lines").as_array().size(), 3U);
  EXPECT_EQ(job.at("summary").at("images"), 1);
  EXPECT_EQ(job.at("summary").at("failed"), 2);
  EXPECT_EQ(job.at("summary").at("blobs_held"), 1);
  EXPECT_THAT(json::serialize(job), HasSubstr("it names no image"));
  for (const auto* body :
       {"", "[]", "{}", R"({"references":[]})", R"({"references":[1]})",
        R"({"references":["a"],"platforms":"x"})", R"({"references":["a"],"referrers":1})"}) {
    EXPECT_EQ(status("POST", "/api/v1/warmings", body), 400) << body;
  }
}

TEST_F(Operations, orders_that_make_no_sense) {
  for (const auto* target :
       {"/api/v1/collections?dry_run=perhaps", "/api/v1/adoptions", "/api/v1/exports?directory=/x",
        "/api/v1/adoptions?directory=/old&files=move", "/api/v1/exports?repository=hub/app",
        "/api/v1/exports?repository=hub/app&directory=/x&reference=.bad", "/api/v1/wants",
        "/api/v1/bundles?directory=/b", "/api/v1/bundles?reference=app",
        "/api/v1/bundles?directory=/b&rule=r&volume_size=x", "/api/v1/bundle-applications"}) {
    EXPECT_EQ(status("POST", target), 400) << target;
  }
}

TEST_F(Operations, the_site_tells_its_key) {
  const auto told = ask("GET", "/api/v1/site");
  EXPECT_EQ(told.at("name").as_string(), "berlin");
  EXPECT_EQ(told.at("key").as_string(), "key");
}

TEST_F(Operations, reload_tells_what_is_wrong) {
  EXPECT_EQ(status("POST", "/api/v1/reload"), 200);
  house.unready = "line 3 of users is no user";
  const auto reply = house.ask("POST", "/api/v1/reload");
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(body_of(reply), HasSubstr("line 3 of users is no user"));
  EXPECT_THAT(house.ordered, ElementsAre("reload", "reload"));
}

// Rows: A-18, P-04
TEST(VisibleCatalog, shows_and_pages_only_what_the_caller_may_pull) {
  auth::GateOptions gate;
  gate.rules = {test::rule({test::user("alice")}, auth::Right::pull, "a/**"),
                test::rule({test::user("bob")}, auth::Right::pull, "b/**")};
  HouseOfCards house({.gate = gate});
  test::run_task(house.index.write([&](index::Batch& batch) {
    const auto hold = [&](const std::string& name) {
      index::set_tag(batch, *oci::RepositoryName::parse(name), *oci::Tag::parse("v1"),
                     house.hub.manifest_digest(), {}, index::Cause::push);
    };
    for (int i = 100; i < 350; ++i) {
      hold((i % 3 == 0 ? "a/x" : "b/x") + std::to_string(i));
      hold("c/x" + std::to_string(i));
    }
  }));
  house.who = "alice";
  std::string target = "/v2/_catalog?n=40";
  std::vector<std::string> seen;
  for (int pages = 0; pages < 10 && !target.empty(); ++pages) {
    const auto reply = house.get(target);
    for (const auto& name : json::parse(body_of(reply)).at("repositories").as_array()) {
      seen.emplace_back(name.as_string());
    }
    const auto link = header(reply, "Link");
    EXPECT_TRUE(link == "(none)" || link.contains("last=a%2F")) << link;
    target = link == "(none)" ? "" : link.substr(1, link.find('>') - 1);
  }
  EXPECT_EQ(seen.size(), 83U);
  for (const auto& name : seen) EXPECT_TRUE(name.starts_with("a/")) << name;
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), seen.size());
  EXPECT_EQ(header(house.get("/v2/_catalog?n=83"), "Link"), "(none)");
  house.who = "nobody";
  EXPECT_EQ(house.get("/v2/_catalog").status, 403);
}

}  // namespace
}  // namespace entrepot::api::operations_test
