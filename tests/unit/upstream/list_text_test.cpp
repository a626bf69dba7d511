#include "upstream/list_text.hpp"

#include <gtest/gtest.h>

namespace entrepot::upstream::list_text_test {
namespace {

TEST(ListText, reads_tags_and_leaves_out_what_is_none) {
  const auto tags = parse_tag_list(R"({"name":"x","tags":["v1","bad tag",3,"v2"]})");
  ASSERT_TRUE(tags);
  ASSERT_EQ(tags->size(), 2U);
  EXPECT_EQ((*tags)[1].text(), "v2");
  EXPECT_TRUE(parse_tag_list(R"({"tags":null})")->empty());
  for (const char* text : {"", "[]", "{}", R"({"tags":{}})", "<html>"})
    EXPECT_FALSE(parse_tag_list(text)) << text;
}

TEST(ListText, reads_referrers) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  const auto referrers =
      parse_referrer_list(R"({"manifests":[{"mediaType":"m","digest":")" + digest +
                          R"(","size":7,"artifactType":"t","annotations":{"k":"v","n":1}},
         {"mediaType":"m","digest":"bad","size":7},{"mediaType":"m","digest":")" +
                          digest + R"(","size":-1},3]})");
  ASSERT_TRUE(referrers);
  ASSERT_EQ(referrers->size(), 1U);
  EXPECT_EQ((*referrers)[0].descriptor.size, 7U);
  EXPECT_EQ((*referrers)[0].artifact_type, "t");
  EXPECT_EQ((*referrers)[0].annotations.size(), 1U);
}

struct LinkCase {
  const char* header;
  std::optional<std::string> query;
};

// Rows: U-03
TEST(ListText, a_link_gives_its_query_and_never_its_host) {
  const LinkCase cases[] = {
      {"</v2/x/tags/list?n=2&last=b>; rel=\"next\"", "n=2&last=b"},
      {"<https://evil.example/v2/x/tags/list?last=b>; rel=\"next\"", "last=b"},
      {"</v2/x/tags/list?last=b#frag>; rel=\"next\"", "last=b"},
      {"</v2/x/tags/list>; rel=\"next\"", std::nullopt},
      {"</v2/x/tags/list?last=b>; rel=\"prev\"", std::nullopt},
      {"nonsense", std::nullopt},
  };
  for (const auto& each : cases) {
    http::Headers headers;
    headers.add("Link", each.header);
    EXPECT_EQ(next_query(headers), each.query) << each.header;
  }
}

}  // namespace
}  // namespace entrepot::upstream::list_text_test
