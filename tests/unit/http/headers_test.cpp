#include "entrepot/http/headers.hpp"

#include <gtest/gtest.h>

namespace entrepot::http::headers_test {
namespace {

TEST(Headers, names_have_no_case_values_do) {
  Headers headers;
  headers.add("Content-Type", "Text/Plain");
  EXPECT_EQ(headers.get("content-type"), "Text/Plain");
  EXPECT_EQ(headers.get("CONTENT-TYPE"), "Text/Plain");
  EXPECT_FALSE(headers.get("content-typ"));
}

TEST(Headers, add_keeps_set_replaces_remove_forgets) {
  Headers headers;
  headers.add("Link", "a");
  headers.add("X", "1");
  headers.add("link", "b");
  EXPECT_EQ(headers.count("LINK"), 2U);
  EXPECT_EQ(headers.all("Link"), (std::vector<std::string_view>{"a", "b"}));
  headers.set("LINK", "c");
  EXPECT_EQ(headers.all("Link"), std::vector<std::string_view>{"c"});
  headers.remove("link");
  EXPECT_EQ(headers.fields(), (std::vector<Headers::Field>{{"X", "1"}}));
}

}  // namespace
}  // namespace entrepot::http::headers_test
