#include "entrepot/oci/name.hpp"

#include <gtest/gtest.h>

namespace entrepot::oci::name_test {
namespace {

TEST(RepositoryName, accepts_what_the_specification_allows) {
  const std::string rows[] = {
      "a",
      "busybox",
      "library/busybox",
      "a.b",
      "a_b",
      "a__b",
      "a-b",
      "a---b",
      "0/1/2",
      "a/b/c/d/e/f/g",
      "math-voila",
      "x/manifests",
      "tags/list",
      "a/blobs/uploads",
      std::string(255, 'a'),
  };
  for (const auto& text : rows) {
    const auto name = RepositoryName::parse(text);
    ASSERT_TRUE(name) << text;
    EXPECT_EQ(name->text(), text);
  }
}

// Rows: P-01, P-02
TEST(RepositoryName, refuses_everything_else) {
  const std::string rows[] = {
      "",
      "/",
      "/a",
      "a/",
      "a//b",
      ".",
      "..",
      "../etc",
      "a/../b",
      "a/./b",
      "a/..",
      ".a",
      "a.",
      "-a",
      "a-",
      "_a",
      "a_",
      "a..b",
      "a___b",
      "a._b",
      "a-_b",
      "a.-b",
      "A",
      "a/B",
      "a b",
      "a\tb",
      "a\nb",
      "a\n",
      "%2e%2e",
      "a%2fb",
      "a%5cb",
      "a%00b",
      "%252e%252e",
      "a\\b",
      "a:b",
      "a@b",
      "a+b",
      "a~b",
      "caf\xc3\xa9",
      "\xc0\xae\xc0\xae",
      "a\xef\xbc\x8f"
      "b",
      std::string("a\0b", 3),
      std::string(256, 'a'),
      std::string(100'000, 'a'),
  };
  for (const auto& text : rows) EXPECT_FALSE(RepositoryName::parse(text)) << text.substr(0, 80);
}

TEST(RepositoryName, knows_its_first_component) {
  EXPECT_EQ(RepositoryName::parse("library/a/b")->first_component(), "library");
  EXPECT_EQ(RepositoryName::parse("busybox")->first_component(), "busybox");
  EXPECT_TRUE(RepositoryName::parse("busybox")->has_single_component());
  EXPECT_FALSE(RepositoryName::parse("library/busybox")->has_single_component());
}

// Rows: P-01
TEST(Tag, is_a_word_of_at_most_128_characters) {
  for (const std::string& text :
       {std::string("latest"), std::string("1.36"), std::string("_"), std::string("A.b-C_d"),
        std::string("sha256-abc"), std::string("v1..2"), std::string(128, 'x')}) {
    EXPECT_TRUE(Tag::parse(text)) << text;
  }
  for (const std::string& text :
       {std::string(), std::string(".a"), std::string("-a"), std::string("a b"), std::string("a/b"),
        std::string("a:b"), std::string("a+b"), std::string("a\n"), std::string("\xc3\xa9"),
        std::string("a\0", 2), std::string(".."), std::string(129, 'x')}) {
    EXPECT_FALSE(Tag::parse(text)) << text;
  }
}

// Rows: M-02
TEST(Reference, with_a_colon_is_a_digest_or_nothing) {
  const auto digest = "sha256:" + std::string(64, 'a');
  ASSERT_TRUE(Reference::parse(digest));
  EXPECT_NE(Reference::parse(digest)->digest(), nullptr);
  EXPECT_EQ(Reference::parse(digest)->tag(), nullptr);
  EXPECT_EQ(Reference::parse(digest)->text(), digest);
  ASSERT_TRUE(Reference::parse("latest"));
  EXPECT_EQ(Reference::parse("latest")->tag()->text(), "latest");
  EXPECT_EQ(Reference::parse("latest")->digest(), nullptr);
  EXPECT_EQ(Reference::parse("latest")->text(), "latest");
  for (const auto* text : {"", ":", "sha256:", "sha256:../../x", "a:b", "sha256:ABC", ".."}) {
    EXPECT_FALSE(Reference::parse(text)) << text;
  }
}

}  // namespace
}  // namespace entrepot::oci::name_test
