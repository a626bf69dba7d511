#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <sstream>

#include "app/commands/password.hpp"
#include "app/commands/progress_bar.hpp"
#include "app/commands/words.hpp"

namespace entrepot::app::commands::command_words_test {
namespace {

TEST(CommandWords, images_are_split_at_their_tag_or_digest) {
  struct {
    std::string_view text;
    std::string_view repository;
    std::string_view reference;
  } const cases[] = {
      {"team/app", "team/app", ""},
      {"team/app:v1", "team/app", "v1"},
      {"app:v1", "app", "v1"},
      {"localhost:5000/app", "localhost:5000/app", ""},
      {"localhost:5000/app:v1", "localhost:5000/app", "v1"},
      {"team/app@sha256:00", "team/app", "sha256:00"},
  };
  for (const auto& each : cases) {
    const auto image = split_image(each.text);
    EXPECT_EQ(image.repository, each.repository) << each.text;
    EXPECT_EQ(image.reference, each.reference) << each.text;
  }
}

TEST(CommandWords, texts_of_others_move_no_cursor) {
  const auto object = object_of(R"({"a":"x\u001b[2Jy\u007f\n\u009b2J\u00e9","b":7})");
  EXPECT_EQ(text_of(object, "a"), "x?[2Jy???2J\xc3\xa9");
  EXPECT_EQ(text_of(object, "b"), "");
  EXPECT_EQ(text_of(object, "c"), "");
}

TEST(CommandWords, sizes_and_counts_read_well) {
  EXPECT_EQ(size_text(1), "1 byte");
  EXPECT_EQ(size_text(1023), "1023 bytes");
  EXPECT_EQ(size_text(1536), "1.5 KiB");
  EXPECT_EQ(size_text(5ULL << 30), "5.0 GiB");
  EXPECT_EQ(size_text(5ULL << 50), "5120.0 TiB");
  EXPECT_EQ(count_text(1, "repository"), "1 repository");
  EXPECT_EQ(count_text(2, "repository"), "2 repositories");
  EXPECT_EQ(count_text(0, "blob"), "0 blobs");
}

TEST(CommandWords, answers_that_are_no_objects_hold_nothing) {
  for (const auto text : {"", "[]", "1", "{", "null"}) EXPECT_TRUE(object_of(text).empty());
  const auto object = object_of(R"({"a":"x","n":3,"t":true,"list":[{"a":1},2],"minus":-1})");
  EXPECT_EQ(text_of(object, "a"), "x");
  EXPECT_EQ(text_of(object, "n"), "");
  EXPECT_EQ(number_of(object, "n"), 3U);
  EXPECT_EQ(number_of(object, "minus"), 0U);
  EXPECT_EQ(number_of(object, "a"), 0U);
  EXPECT_TRUE(truth_of(object, "t"));
  EXPECT_FALSE(truth_of(object, "a"));
  EXPECT_EQ(objects_of(object, "list").size(), 1U);
}

TEST(ProgressBar, writes_a_line_a_tenth_unless_on_a_terminal) {
  std::ostringstream out;
  std::ostringstream error;
  std::istringstream in;
  Console console{out, error, in};
  ProgressBar bar(console);
  for (std::uint64_t done = 0; done <= 100; ++done) bar.at(done, 100);
  bar.at(1, 0);
  bar.clear();
  const auto text = error.str();
  EXPECT_EQ(std::ranges::count(text, '\n'), 10);
  EXPECT_THAT(text, testing::HasSubstr("50%: 50 bytes of 100 bytes\n"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("\x1b")));

  console.error_is = Terminal::yes;
  error.str("");
  ProgressBar drawn(console);
  drawn.at(50, 100);
  drawn.clear();
  EXPECT_THAT(error.str(), testing::HasSubstr("[####################                    ]"));
  EXPECT_THAT(error.str(), testing::EndsWith("\r\x1b[K"));
}

TEST(Password, first_line_of_what_is_piped) {
  struct {
    const char* piped;
    std::optional<std::string> password;
  } const cases[] = {
      {"s3cret\nmore\n", "s3cret"}, {"s3cret", "s3cret"},
      {"s3cret\r\n", "s3cret"},     {"a b\n", "a b"},
      {"\n", std::nullopt},         {"", std::nullopt},
  };
  for (const auto& each : cases) {
    std::ostringstream out;
    std::ostringstream error;
    std::istringstream in(each.piped);
    Console console{out, error, in};
    EXPECT_EQ(read_password(console), each.password) << each.piped;
    EXPECT_EQ(error.str().empty(), each.password.has_value());
  }
}

}  // namespace
}  // namespace entrepot::app::commands::command_words_test
