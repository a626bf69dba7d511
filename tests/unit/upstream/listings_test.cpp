#include <gtest/gtest.h>

#include "unit/upstream/lab.hpp"

namespace entrepot::upstream::listings_test {
namespace {

using registry::FailureKind;

std::string joined(const registry::TagPage& page) {
  std::string text;
  for (const auto& tag : page.tags) text += tag.text() + " ";
  return text + (page.more ? "more" : "end");
}

test::Action tag_list(const std::string& tags, test::Fields fields = {}) {
  return test::reply(200, R"({"name":"x","tags":[)" + tags + "]}", std::move(fields));
}

std::string listed(Lab& lab, registry::Page page) {
  const auto answer = lab.run(lab.remote().tags(app(), std::move(page)));
  return answer ? joined(*answer) : std::string(registry::to_string(answer.error().kind));
}

TEST(Listings, one_page_of_tags) {
  Lab lab;
  lab.server.on("GET /v2/library/app/tags/list?n=10&last=v%2B0", tag_list(R"("v1","v2")"));
  EXPECT_EQ(listed(lab, {"v+0", 10}), "v1 v2 end");
}

TEST(Listings, gathers_the_pages_of_an_upstream_with_smaller_ones) {
  Lab lab;
  lab.server.on("?n=4", tag_list(R"("a","b")", {{"Link", "</v2/x?n=2&last=b>; rel=\"next\""}}));
  lab.server.on("?n=2&last=b",
                tag_list(R"("c","d")", {{"Link", "<http://evil/v2/x?n=2&last=d>; rel=\"next\""}}));
  lab.server.on("?n=2&last=d", tag_list(R"("e")"));
  EXPECT_EQ(listed(lab, {"", 4}), "a b c d more");
  EXPECT_EQ(lab.server.requests().size(), 2U);
}

TEST(Listings, cuts_the_list_of_an_upstream_that_does_not_page) {
  Lab lab;
  lab.server.on("GET", tag_list(R"("b","a","d","c")"));
  EXPECT_EQ(listed(lab, {"", 2}), "b a more");
  EXPECT_EQ(listed(lab, {"a", 2}), "d c end");
}

TEST(Listings, a_list_that_points_at_itself_ends) {
  Lab lab;
  lab.server.on("GET", tag_list(R"("a")", {{"Link", "</v2/x?n=9>; rel=\"next\""}}));
  EXPECT_EQ(listed(lab, {"", 9}), "a end");
}

TEST(Listings, failures_of_a_tag_list) {
  Lab lab;
  EXPECT_EQ(listed(lab, {"", 9}), "absent");
  lab.server.on("GET", test::reply(200, "<html>"));
  EXPECT_EQ(listed(lab, {"", 9}), "broken");
}

const oci::Digest subject = digest_of("subject");

std::string entry(const std::string& content, const std::string& type) {
  return R"({"mediaType":")" + oci_type + R"(","digest":")" + digest_of(content).text() +
         R"(","size":1,"artifactType":")" + type + "\"}";
}

std::string index_of(const std::string& entries) {
  return R"({"schemaVersion":2,"manifests":[)" + entries + "]}";
}

registry::Answer<registry::ReferrerPage> referrers(Lab& lab, const std::string& type,
                                                   registry::Page page = {"", 10}) {
  return lab.run(lab.remote().referrers(app(), subject, type, std::move(page)));
}

TEST(Listings, referrers_are_filtered_here_when_not_there) {
  Lab lab;
  lab.server.on("/referrers/" + subject.text(),
                test::reply(200, index_of(entry("a", "sig") + "," + entry("b", "sbom")),
                            {{"Content-Type", index_type}}));
  const auto all = referrers(lab, "");
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->referrers.size(), 2U);
  EXPECT_FALSE(all->filtered);
  const auto some = referrers(lab, "sig");
  ASSERT_TRUE(some);
  ASSERT_EQ(some->referrers.size(), 1U);
  EXPECT_TRUE(some->filtered);
  EXPECT_EQ(some->referrers[0].artifact_type, "sig");
  EXPECT_EQ(lab.server.count("artifactType=sig"), 1U);
}

TEST(Listings, referrers_page_by_digest) {
  Lab lab;
  lab.server.on("/referrers/", test::reply(200, index_of(entry("a", "x") + "," + entry("b", "x")),
                                           {{"Content-Type", index_type}}));
  const auto first = referrers(lab, "", {"", 1});
  ASSERT_TRUE(first && first->more && first->referrers.size() == 1);
  const auto after = first->referrers[0].descriptor.digest.text();
  const auto second = referrers(lab, "", {after, 1});
  ASSERT_TRUE(second && second->referrers.size() == 1);
  EXPECT_FALSE(second->more);
  EXPECT_EQ(second->referrers[0].descriptor.digest, digest_of("b"));
}

TEST(Listings, the_tag_scheme_stands_in_for_an_older_registry) {
  for (const auto& refusal : {test::reply(404, ""), test::reply(405, ""),
                              test::reply(200, "<html>", {{"Content-Type", "text/html"}})}) {
    Lab lab;
    lab.server.on("/referrers/", refusal);
    lab.server.on("/manifests/sha256-" + subject.hex(),
                  test::reply(200, index_of(entry("a", "sig")), {{"Content-Type", index_type}}));
    const auto answer = referrers(lab, "");
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->referrers.size(), 1U);
  }
}

TEST(Listings, no_api_and_no_tag_is_absent) {
  Lab lab;
  const auto answer = referrers(lab, "");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, FailureKind::absent);
}

}  // namespace
}  // namespace entrepot::upstream::listings_test
