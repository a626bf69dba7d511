#include "entrepot/http/conditional.hpp"

#include <gtest/gtest.h>

namespace entrepot::http::conditional_test {
namespace {

TEST(IfNoneMatch, weak_comparison_over_the_list) {
  const std::string_view etag = "\"sha256:ab\"";
  for (const std::string_view header :
       {"\"sha256:ab\"", "W/\"sha256:ab\"", "*", " * ", "\"x\", \"sha256:ab\"",
        "\"a,b\",W/\"sha256:ab\"", ",,\"sha256:ab\""}) {
    EXPECT_TRUE(if_none_match(header, etag)) << header;
  }
  for (const std::string_view header :
       {"", "\"sha256:abc\"", "sha256:ab", "\"x\"", "\"sha256:ab", "w/\"sha256:ab\"", "**"}) {
    EXPECT_FALSE(if_none_match(header, etag)) << header;
  }
  EXPECT_TRUE(if_none_match("\"x\"", "W/\"x\""));
}

}  // namespace
}  // namespace entrepot::http::conditional_test
