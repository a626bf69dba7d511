#include "entrepot/base/utf8.hpp"

#include <gtest/gtest.h>

namespace entrepot::base::utf8_test {
namespace {

TEST(Utf8, code_points_of_every_length) {
  const std::pair<const char*, char32_t> rows[] = {{"a", 'a'},
                                                   {"\x7f", 0x7f},
                                                   {"\xc2\x80", 0x80},
                                                   {"\xdf\xbf", 0x7ff},
                                                   {"\xe0\xa0\x80", 0x800},
                                                   {"\xed\x9f\xbf", 0xd7ff},
                                                   {"\xee\x80\x80", 0xe000},
                                                   {"\xf0\x90\x80\x80", 0x10000},
                                                   {"\xf4\x8f\xbf\xbf", 0x10ffff}};
  for (const auto& [text, value] : rows) {
    const auto point = first_code_point(text);
    ASSERT_TRUE(point) << text;
    EXPECT_EQ(point->value, value);
    EXPECT_EQ(point->length, std::string_view(text).size());
  }
}

TEST(Utf8, refuses_what_is_not_strict) {
  for (const auto* text :
       {"", "\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf",
        "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xc2", "\xe2\x82", "\xf0\x9f\x98",
        "\xc2"
        "a"}) {
    EXPECT_FALSE(first_code_point(text)) << text;
  }
}

TEST(Utf8, every_odd_byte_becomes_one_replacement) {
  EXPECT_EQ(valid_utf8("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(valid_utf8("a\xff\xc2z"), "a\xef\xbf\xbd\xef\xbf\xbdz");
}

}  // namespace
}  // namespace entrepot::base::utf8_test
