#include "entrepot/api/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "house_of_cards.hpp"

namespace entrepot::api::router_test {
namespace {

using registry::FailureKind;
using registry::Outcome;
using test::body_of;
using test::header;
using test::HouseOfCards;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string code_of(const http::Reply& reply) {
  const auto error = boost::json::parse(body_of(reply)).at("errors").at(0);
  return std::string(error.at("code").as_string());
}

std::string list_of(const http::Reply& reply, const char* key) {
  std::string joined;
  for (const auto& item : boost::json::parse(body_of(reply)).at(key).as_array()) {
    joined += (joined.empty() ? "" : " ") + std::string(item.as_string());
  }
  return joined;
}

struct Naming {
  std::string target;
  std::string hub;  // what hub is asked for; empty: not asked
  std::string quay;
};

TEST(Router, every_way_of_naming_reaches_its_upstream) {
  const Naming ways[] = {
      {"/v2/org/app/manifests/v1", "manifest org/app v1", ""},
      {"/v2/app/manifests/v1", "manifest library/app v1", ""},
      {"/v2/org/app/manifests/v1?ns=docker.io", "manifest org/app v1", ""},
      {"/v2/app/manifests/v1?ns=DOCKER.io", "manifest library/app v1", ""},
      {"/v2/org/app/manifests/v1?ns=quay.io", "", "manifest org/app v1"},
      {"/v2/app/manifests/v1?x=1&ns=quay.local%3A5000&y", "", "manifest app v1"},
      {"/v2/org/app/manifests/v1?ns=", "manifest org/app v1", ""},
      {"/v2/quay/org/app/manifests/v1", "", "manifest org/app v1"},
      {"/v2/quay.io/app/manifests/v1", "", "manifest app v1"},
      {"/v2/quay.local:5000/org/app/manifests/v1", "", "manifest org/app v1"},
      {"/v2/hub/app/manifests/v1", "manifest library/app v1", ""},
      {"/quay/v2/org/app/manifests/v1", "", "manifest org/app v1"},
      {"/quay.local:5000/v2/app/manifests/v1", "", "manifest app v1"},
      {"/docker.io/v2/app/manifests/v1", "manifest library/app v1", ""},
      // A client's ns wins over the prefix, unless nobody answers for it.
      {"/hub/v2/org/app/manifests/v1?ns=quay.io", "", "manifest org/app v1"},
      {"/quay/v2/org/app/manifests/v1?ns=elsewhere.example", "", "manifest org/app v1"},
  };
  for (const auto& way : ways) {
    HouseOfCards house;
    EXPECT_EQ(house.get(way.target).status, 200) << way.target;
    EXPECT_EQ(testing::PrintToString(house.hub.asked),
              way.hub.empty() ? "{}" : "{ \"" + way.hub + "\" }")
        << way.target;
    EXPECT_EQ(testing::PrintToString(house.quay.asked),
              way.quay.empty() ? "{}" : "{ \"" + way.quay + "\" }")
        << way.target;
  }
}

TEST(Router, unknown_upstreams_are_404_and_nobody_is_asked) {
  HouseOfCards house;
  for (const auto target :
       {"/v2/org/app/manifests/v1?ns=evil.example", "/evil.example/v2/org/app/manifests/v1",
        "/evil.example/v2/", "/v2/org/app/tags/list?ns=127.0.0.1"}) {
    const auto reply = house.get(target);
    EXPECT_EQ(reply.status, 404) << target;
    EXPECT_EQ(code_of(reply), "NAME_UNKNOWN") << target;
    EXPECT_EQ(header(reply, "OCI-Namespace"), "(none)");
  }
  EXPECT_THAT(house.hub.asked, IsEmpty());
  EXPECT_THAT(house.quay.asked, IsEmpty());
}

TEST(Router, what_is_held_here_or_reserved_stays_here) {
  HouseOfCards house;
  house.hold("team/app");
  EXPECT_EQ(list_of(house.get("/v2/team/app/tags/list"), "tags"), "held");
  EXPECT_EQ(house.get("/v2/acme/app/manifests/v1").status, 404);
  EXPECT_THAT(house.hub.asked, IsEmpty());
  EXPECT_EQ(house.get("/v2/hub/team/app/tags/list").status, 200);
  EXPECT_EQ(house.hub.asked.size(), 1U);
}

// Rows: P-01, P-02
TEST(Router, what_cannot_be_a_name_is_refused_before_anyone_is_asked) {
  const std::string long_name(256, 'a');
  const std::string long_tag(129, 'a');
  const std::string hex(64, '0');
  struct {
    std::string target;
    std::string code;
  } const cases[] = {
      {"/v2/UPPER/manifests/v1", "NAME_INVALID"},
      {"/v2/a..b/manifests/v1", "NAME_INVALID"},
      {"/v2/-a/manifests/v1", "NAME_INVALID"},
      {"/v2/a%20b/manifests/v1", "NAME_INVALID"},
      {"/v2/a:b/manifests/v1", "NAME_INVALID"},
      {"/v2/hub/UPPER/manifests/v1", "NAME_INVALID"},
      {"/v2/_x/tags/list?ns=docker.io", "NAME_INVALID"},
      {"/v2/" + long_name + "/manifests/v1", "NAME_INVALID"},
      {"/v2/app/manifests/" + long_tag, "TAG_INVALID"},
      {"/v2/app/manifests/.v1", "TAG_INVALID"},
      {"/v2/app/manifests/sha256:abc", "DIGEST_INVALID"},
      {"/v2/app/manifests/md5:" + hex, "DIGEST_INVALID"},
      {"/v2/app/manifests/sha256:" + std::string(64, 'A'), "DIGEST_INVALID"},
      {"/v2/app/blobs/v1", "DIGEST_INVALID"},
      {"/v2/app/blobs/sha999:" + hex, "DIGEST_INVALID"},
      {"/v2/app/referrers/v1", "DIGEST_INVALID"},
  };
  HouseOfCards house;
  for (const auto& each : cases) {
    const auto reply = house.get(each.target);
    EXPECT_EQ(reply.status, 400) << each.target;
    EXPECT_EQ(code_of(reply), each.code) << each.target;
  }
  EXPECT_THAT(house.hub.asked, IsEmpty());
}

// Rows: R-15
TEST(Router, errors_are_json_that_no_browser_takes_for_a_page) {
  HouseOfCards house;
  const auto reply = house.get("/v2/%3Cscript%3E/manifests/v1");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(header(reply, "Content-Type"), "application/json");
  EXPECT_EQ(header(reply, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(header(reply, "Docker-Distribution-Api-Version"), "registry/2.0");
}

TEST(Router, other_methods_are_405_with_allow) {
  HouseOfCards house;
  struct {
    const char* target;
    const char* allow;
    std::vector<const char*> methods;
  } const cases[] = {
      {"/v2/", "GET, HEAD", {"PUT", "POST", "PATCH", "DELETE", "OPTIONS"}},
      {"/v2/_catalog", "GET, HEAD", {"PUT", "POST", "PATCH", "DELETE", "OPTIONS"}},
      {"/v2/app/manifests/v1", "GET, HEAD, PUT, DELETE", {"POST", "PATCH", "OPTIONS"}},
      {"/v2/app/tags/list", "GET, HEAD", {"PUT", "POST", "PATCH", "DELETE", "OPTIONS"}},
      {"/v2/app/blobs/uploads/", "POST", {"GET", "PUT", "PATCH", "DELETE", "OPTIONS"}},
      {"/v2/app/blobs/uploads/1", "GET, HEAD, PATCH, PUT, DELETE", {"POST", "OPTIONS"}},
      {"/healthz", "GET, HEAD", {"PUT", "POST", "PATCH", "DELETE", "OPTIONS"}},
  };
  for (const auto& each : cases) {
    for (const auto* method : each.methods) {
      const auto reply = house.ask(method, each.target);
      EXPECT_EQ(reply.status, 405) << method << ' ' << each.target;
      EXPECT_EQ(code_of(reply), "UNSUPPORTED");
      EXPECT_EQ(header(reply, "Allow"), each.allow);
    }
  }
  EXPECT_THAT(house.hub.asked, IsEmpty());
}

TEST(Router, base_never_challenges_and_credentials_are_ignored) {
  HouseOfCards house;
  const auto reply = house.get("/v2/", {{"Authorization", "Basic eDp5"}});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(header(reply, "WWW-Authenticate"), "(none)");
  EXPECT_EQ(header(reply, "Docker-Distribution-Api-Version"), "registry/2.0");
  EXPECT_EQ(house.get("/v2/app/manifests/v1", {{"Authorization", "Bearer x"}}).status, 200);
}

TEST(Router, namespace_is_echoed_when_it_decided) {
  HouseOfCards house;
  EXPECT_EQ(header(house.get("/v2/a/b/manifests/v1?ns=quay.io"), "OCI-Namespace"), "quay.io");
  EXPECT_EQ(header(house.get("/v2/a/b/manifests/v1"), "OCI-Namespace"), "(none)");
  EXPECT_EQ(header(house.get("/quay/v2/a/b/manifests/v1"), "OCI-Namespace"), "(none)");
  EXPECT_EQ(header(house.get("/v2/?ns=quay.io"), "OCI-Namespace"), "quay.io");
}

TEST(Manifests, head_is_get_without_the_body) {
  HouseOfCards house;
  const auto digest = house.hub.manifest_digest().text();
  for (const auto& reference : {std::string("v1"), digest}) {
    const auto got = house.get("/v2/org/app/manifests/" + reference);
    const auto head = house.head("/v2/org/app/manifests/" + reference);
    EXPECT_EQ(body_of(got), house.hub.manifest_bytes);
    EXPECT_TRUE(head.body.empty());
    EXPECT_EQ(head.body_length(), got.body_length());
    EXPECT_EQ(head.headers.fields(), got.headers.fields());
    EXPECT_EQ(header(got, "Docker-Content-Digest"), digest);
    EXPECT_EQ(header(got, "ETag"), '"' + digest + '"');
    EXPECT_EQ(header(got, "Content-Type"), oci::media_type::oci_manifest);
  }
  EXPECT_EQ(header(house.get("/v2/a/b/manifests/v1"), "Cache-Control"), "no-cache");
  EXPECT_THAT(header(house.get("/v2/a/b/manifests/" + digest), "Cache-Control"),
              HasSubstr("immutable"));
}

TEST(Manifests, known_content_is_304) {
  HouseOfCards house;
  const auto etag = '"' + house.hub.manifest_digest().text() + '"';
  for (const auto method : {"GET", "HEAD"}) {
    const auto reply = house.ask(method, "/v2/org/app/manifests/v1", {{"If-None-Match", etag}});
    EXPECT_EQ(reply.status, 304);
    EXPECT_EQ(reply.body_length(), 0U);
    EXPECT_EQ(header(reply, "ETag"), etag);
    EXPECT_EQ(house.ask(method, "/v2/a/b/manifests/v1", {{"If-None-Match", "\"x\""}}).status, 200);
  }
}

TEST(Blobs, ranges_and_headers) {
  HouseOfCards house;
  const auto digest = house.hub.blob_digest().text();
  const auto target = "/v2/org/app/blobs/" + digest;
  const auto whole = house.get(target);
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(body_of(whole), "0123456789");
  EXPECT_EQ(header(whole, "Docker-Content-Digest"), digest);
  EXPECT_EQ(header(whole, "ETag"), '"' + digest + '"');
  EXPECT_EQ(header(whole, "Accept-Ranges"), "bytes");
  EXPECT_EQ(header(whole, "Content-Type"), "application/octet-stream");
  const auto part = house.get(target, {{"Range", "bytes=2-4"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(body_of(part), "234");
  EXPECT_EQ(header(part, "Content-Range"), "bytes 2-4/10");
  const auto none = house.get(target, {{"Range", "bytes=10-"}});
  EXPECT_EQ(none.status, 416);
  EXPECT_EQ(header(none, "Cache-Control"), "(none)");
}

TEST(Blobs, head_and_known_content_need_no_bytes) {
  HouseOfCards house;
  const auto digest = house.hub.blob_digest().text();
  const auto target = "/v2/org/app/blobs/" + digest;
  const auto head = house.head(target, {{"Range", "bytes=2-4"}});
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body_length(), 10U);
  EXPECT_TRUE(head.body.empty());
  EXPECT_EQ(header(head, "Accept-Ranges"), "bytes");
  EXPECT_EQ(header(head, "Docker-Content-Digest"), digest);
  EXPECT_EQ(house.get(target, {{"If-None-Match", '"' + digest + '"'}}).status, 304);
  EXPECT_THAT(house.hub.asked, ElementsAre("stat org/app " + digest, "stat org/app " + digest));
  const auto other = "/v2/org/app/blobs/sha256:" + std::string(64, '0');
  EXPECT_EQ(house.head(other).status, 404);
  EXPECT_EQ(code_of(house.get(other)), "BLOB_UNKNOWN");
}

TEST(Provenance, cache_status_age_warning_and_log) {
  using std::chrono::seconds;
  struct {
    registry::Provenance provenance;
    std::string status;
    std::string_view log;
    std::vector<std::string_view> warnings;
  } const cases[] = {
      {{.outcome = Outcome::hit, .age = seconds(7)}, "entrepot; hit", "hit", {}},
      {{.outcome = Outcome::revalidated}, "entrepot; hit; detail=revalidated", "hit", {}},
      {{.outcome = Outcome::offline}, "entrepot; hit; detail=offline", "hit", {}},
      {{.outcome = Outcome::stale},
       "entrepot; hit; detail=stale",
       "stale",
       {R"(110 - "Response is Stale")"}},
      {{.outcome = Outcome::stale, .upstream_failed = true},
       "entrepot; hit; detail=stale",
       "stale",
       {R"(110 - "Response is Stale")", R"(111 - "Revalidation Failed")"}},
      {{.outcome = Outcome::fetched}, "entrepot; fwd=miss; stored", "miss", {}},
      {{.outcome = Outcome::collapsed}, "entrepot; fwd=miss; collapsed", "fill", {}},
      {{.outcome = Outcome::passed}, "entrepot; fwd=miss", "miss", {}},
  };
  for (const auto& each : cases) {
    HouseOfCards house;
    house.hub.provenance = each.provenance;
    const auto reply = house.get("/v2/app/manifests/v1");
    EXPECT_EQ(header(reply, "Cache-Status"), each.status);
    EXPECT_EQ(reply.headers.all("Warning"), each.warnings) << each.status;
    EXPECT_EQ(header(reply, "Age"), each.provenance.age ? "7" : "(none)");
    EXPECT_EQ(reply.trace.cache, each.log);
    EXPECT_EQ(reply.trace.route, "manifest");
    EXPECT_EQ(reply.trace.repository, "hub/library/app");
    EXPECT_EQ(reply.trace.reference, "v1");
    EXPECT_EQ(reply.trace.upstream, "hub");
  }
}

TEST(Failures, are_what_clients_can_act_on) {
  struct {
    FailureKind kind;
    int status;
    std::string code;
  } const cases[] = {
      {FailureKind::absent, 404, "MANIFEST_UNKNOWN"},
      {FailureKind::offline, 404, "MANIFEST_UNKNOWN"},
      {FailureKind::denied, 403, "DENIED"},
      {FailureKind::throttled, 429, "TOOMANYREQUESTS"},
      {FailureKind::timeout, 504, "UNAVAILABLE"},
      {FailureKind::broken, 502, "UNAVAILABLE"},
  };
  for (const auto& each : cases) {
    for (const auto method : {"GET", "HEAD"}) {
      HouseOfCards house;
      house.hub.failure = registry::Failure{.kind = each.kind, .message = "upstream hub: reason"};
      if (each.kind == FailureKind::throttled)
        house.hub.failure->retry_after = std::chrono::seconds(9);
      const auto reply = house.ask(method, "/v2/app/manifests/v1");
      EXPECT_EQ(reply.status, each.status);
      EXPECT_EQ(code_of(reply), each.code);
      EXPECT_THAT(body_of(reply), HasSubstr("upstream hub: reason"));
      EXPECT_EQ(header(reply, "Retry-After"), each.status == 429 ? "9" : "(none)");
      EXPECT_EQ(reply.trace.upstream, "hub");
      EXPECT_EQ(reply.trace.route, "manifest");
    }
  }
}

// Rows: M-16, P-04
TEST(Tags, are_paged_by_n_last_and_link) {
  HouseOfCards house;
  struct {
    std::string query;
    std::string tags;
    std::string link;
  } const cases[] = {
      {"", "0.1.2 0.1.20 latest v1", "(none)"},
      {"?n=4", "0.1.2 0.1.20 latest v1", "(none)"},
      {"?n=2", "0.1.2 0.1.20", R"(</v2/org/app/tags/list?n=2&last=0.1.20>; rel="next")"},
      {"?n=1&last=0.1.2", "0.1.20", R"(</v2/org/app/tags/list?n=1&last=0.1.20>; rel="next")"},
      {"?n=2&last=0.1.20", "latest v1", "(none)"},
      {"?n=2&ns=docker.io", "0.1.2 0.1.20",
       R"(</v2/org/app/tags/list?n=2&last=0.1.20&ns=docker.io>; rel="next")"},
      {"?last=between", "latest v1", "(none)"},
      {"?last=zzz", "", "(none)"},
      {"?n=0", "", "(none)"},
      {"?n=1000000000", "0.1.2 0.1.20 latest v1", "(none)"},
      {"?n=99999999999999999999999999", "0.1.2 0.1.20 latest v1", "(none)"},
      {"?unknown=1", "0.1.2 0.1.20 latest v1", "(none)"},
  };
  for (const auto& each : cases) {
    const auto reply = house.get("/v2/org/app/tags/list" + each.query);
    EXPECT_EQ(reply.status, 200) << each.query;
    EXPECT_EQ(list_of(reply, "tags"), each.tags) << each.query;
    EXPECT_EQ(header(reply, "Link"), each.link) << each.query;
    EXPECT_THAT(body_of(reply), HasSubstr(R"("name":"org/app")"));
  }
  EXPECT_EQ(header(house.get("/quay/v2/a/b/tags/list?n=1"), "Link"),
            R"(</quay/v2/a/b/tags/list?n=1&last=0.1.2>; rel="next")");
}

// Rows: M-16
TEST(Tags, a_page_size_that_is_no_number_is_400) {
  HouseOfCards house;
  for (const auto n : {"-1", "abc", "1.5", "", "0x10", "%2B5"}) {
    for (const auto path : {"/v2/org/app/tags/list?n=", "/v2/_catalog?n="}) {
      const auto reply = house.get(path + std::string(n));
      EXPECT_EQ(reply.status, 400) << path << n;
      EXPECT_THAT(code_of(reply), HasSubstr("PAGINATION")) << path << n;
    }
  }
  EXPECT_THAT(house.hub.asked, IsEmpty());
}

// Rows: M-16
TEST(Tags, a_huge_page_is_cut_to_ours_with_a_link) {
  HouseOfCards house;
  house.hub.tag_names.clear();
  for (int i = 10'000; i < 11'500; ++i) house.hub.tag_names.push_back("t" + std::to_string(i));
  for (const auto query : {"", "?n=1000000000"}) {
    const auto reply = house.get("/v2/org/app/tags/list" + std::string(query));
    EXPECT_EQ(boost::json::parse(body_of(reply)).at("tags").as_array().size(), 1000U);
    EXPECT_EQ(header(reply, "Link"), R"(</v2/org/app/tags/list?n=1000&last=t10999>; rel="next")");
  }
}

// Rows: M-16, P-04
TEST(Catalog, pages_through_every_repository_once) {
  HouseOfCards house;
  EXPECT_EQ(list_of(house.get("/v2/_catalog"), "repositories"), "");
  for (const auto name : {"math", "math-voila", "math.x", "math/z", "math0", "math_x"}) {
    house.hold(name);
  }
  std::string all;
  std::string target = "/v2/_catalog?n=2";
  for (int page = 0; page < 3; ++page) {
    const auto reply = house.get(target);
    all += list_of(reply, "repositories") + ' ';
    const auto link = header(reply, "Link");
    ASSERT_EQ(link != "(none)", page < 2) << link;
    target = link.substr(1, link.find('>') - 1);
  }
  EXPECT_EQ(all, "math math-voila math.x math/z math0 math_x ");
  EXPECT_EQ(list_of(house.get("/v2/_catalog?last=zzz"), "repositories"), "");
  EXPECT_EQ(list_of(house.get("/v2/_catalog?n=0"), "repositories"), "");
  EXPECT_EQ(header(house.get("/v2/_catalog?n=0"), "Link"), "(none)");
}

TEST(Referrers, are_an_index_with_filter_and_pages) {
  HouseOfCards house;
  for (const auto text : {"a", "b", "c"}) {
    house.hub.referrer_list.push_back(
        {{std::string(oci::media_type::oci_manifest), test::ScriptedSource::digest_of(text), 1},
         text == std::string_view("b") ? "x/note" : "x/sbom",
         {{"made-by", text}}});
  }
  std::ranges::sort(house.hub.referrer_list, {},
                    [](const auto& each) { return each.descriptor.digest.text(); });
  const auto target = "/v2/org/app/referrers/" + house.hub.manifest_digest().text();
  const auto all = house.get(target);
  EXPECT_EQ(all.status, 200);
  EXPECT_EQ(header(all, "Content-Type"), oci::media_type::oci_index);
  EXPECT_EQ(header(all, "OCI-Filters-Applied"), "(none)");
  const auto body = boost::json::parse(body_of(all));
  EXPECT_EQ(body.at("schemaVersion"), 2);
  EXPECT_EQ(body.at("mediaType").as_string(), oci::media_type::oci_index);
  ASSERT_EQ(body.at("manifests").as_array().size(), 3U);
  const auto& first = body.at("manifests").at(0);
  EXPECT_EQ(first.at("size"), 1);
  EXPECT_TRUE(first.at("annotations").is_object());

  const auto notes = house.get(target + "?artifactType=x%2Fnote");
  EXPECT_EQ(header(notes, "OCI-Filters-Applied"), "artifactType");
  EXPECT_EQ(boost::json::parse(body_of(notes)).at("manifests").as_array().size(), 1U);

  const auto page = house.get(target + "?artifactType=x%2Fsbom&n=1");
  EXPECT_THAT(header(page, "Link"), HasSubstr("n=1&last=sha256%3A"));
  EXPECT_THAT(header(page, "Link"), HasSubstr("&artifactType=x%2Fsbom"));
  EXPECT_EQ(house.get(target + "?last=banana").status, 400);
  house.hub.referrer_list.clear();
  EXPECT_THAT(body_of(house.get(target)), HasSubstr(R"("manifests":[])"));
}

TEST(Health, tells_life_from_readiness) {
  HouseOfCards house;
  EXPECT_EQ(house.get("/healthz").status, 200);
  EXPECT_EQ(house.get("/readyz").status, 200);
  house.unready = "draining";
  EXPECT_EQ(house.get("/healthz").status, 200);
  const auto reply = house.get("/readyz");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(body_of(reply), "draining\n");
  EXPECT_EQ(house.ask_admin("/readyz").status, 503);
  EXPECT_EQ(header(reply, "Docker-Distribution-Api-Version"), "(none)");
}

TEST(Metrics, are_for_this_machine_or_for_the_admin_listener) {
  HouseOfCards open;
  EXPECT_EQ(open.get("/metrics").status, 200);
  open.from_loopback = false;
  EXPECT_EQ(open.get("/metrics").status, 403);
  HouseOfCards closed({.metrics_access = MetricsAccess::nobody});
  EXPECT_EQ(closed.get("/metrics").status, 404);
  closed.from_loopback = false;
  EXPECT_EQ(closed.ask_admin("/metrics").status, 200);
  EXPECT_EQ(closed.ask_admin("/v2/").status, 404);
}

TEST(Observer, counts_what_came_from_where) {
  base::Metrics metrics;
  const auto observe = make_observer(metrics);
  const http::Request request;
  struct {
    std::string_view cache;
    std::uint64_t bytes;
  } const answers[] = {{"hit", 1}, {"stale", 10}, {"fill", 100}, {"miss", 1000}, {"-", 10'000}};
  for (const auto& answer : answers) {
    http::Trace trace;
    trace.route = "blob";
    trace.cache = answer.cache;
    observe({request, trace, 200, answer.bytes, true, std::chrono::milliseconds(5)});
  }
  const auto text = metrics.render();
  EXPECT_THAT(text, HasSubstr("entrepot_served_bytes_total{from=\"cache\"} 111"));
  EXPECT_THAT(text, HasSubstr("entrepot_served_bytes_total{from=\"upstream\"} 1000"));
  EXPECT_THAT(text, HasSubstr("entrepot_saved_bytes_total 111"));
  for (const auto outcome : {"hit", "stale", "fill", "miss", "none"}) {
    EXPECT_THAT(text, HasSubstr("outcome=\"" + std::string(outcome) + '"'));
  }
}

}  // namespace
}  // namespace entrepot::api::router_test
