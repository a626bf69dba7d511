#include "entrepot/http/link.hpp"

#include <gtest/gtest.h>

namespace entrepot::http::link_test {
namespace {

TEST(Link, written_as_it_is_read) {
  EXPECT_EQ(next_link("/v2/a/tags/list?n=2&last=b"), "</v2/a/tags/list?n=2&last=b>; rel=\"next\"");
  EXPECT_EQ(parse_next_link(next_link("/x?y=z")), "/x?y=z");
}

TEST(Link, finds_next) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"</a>; rel=next", "/a"},
      {"</a>;rel=\"next\"", "/a"},
      {"</a> ; REL = \"prev next\"", "/a"},
      {"</a>; title=\"x; rel=prev, <y>\"; rel=next", "/a"},
      {"</a>; rel=prev, </b>; rel=next", "/b"},
      {"<https://other.example/v2/_catalog?last=q>; rel=\"next\"",
       "https://other.example/v2/_catalog?last=q"},
      {"</a,b;c>; rel=next", "/a,b;c"},
  };
  for (const auto& [header, target] : cases) EXPECT_EQ(parse_next_link(header), target) << header;
}

TEST(Link, absent) {
  for (const std::string_view header :
       {"", "</a>", "</a>; rel=prev", "/a; rel=next", "</a; rel=next", "</a>; rel=\"next",
        "</a>; rel=nextish", "rel=next", "</a>; rel"}) {
    EXPECT_FALSE(parse_next_link(header)) << header;
  }
}

}  // namespace
}  // namespace entrepot::http::link_test
