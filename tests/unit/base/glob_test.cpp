#include "entrepot/base/glob.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace entrepot::base::glob_test {
namespace {

TEST(Glob, star_stays_within_a_component) {
  struct Row {
    const char* pattern;
    const char* name;
    bool matches;
  };
  const Row rows[] = {
      {"acme/*", "acme/app", true},
      {"acme/*", "acme/team/app", false},
      {"acme/*", "acme/", true},
      {"acme/*", "acme", false},
      {"acme/*", "xacme/app", false},
      {"acme/**", "acme/team/app", true},
      {"acme/**", "acme", false},
      {"**/app", "acme/team/app", true},
      {"**", "anything/at/all", true},
      {"*", "one", true},
      {"*", "one/two", false},
      {"a?c", "abc", true},
      {"a?c", "a/c", false},
      {"a?c", "ac", false},
      {"a.c", "abc", false},
      {"a+(b)[c]{1}|^$\\", "a+(b)[c]{1}|^$\\", true},
      {"library/debian:12.*", "library/debian:12.1", true},
      {"library/debian:12.*", "library/debian:1201", false},
      {"app", "app\n", false},
      {"**", "two\nlines", true},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(GlobSet({row.pattern}).matches(row.name), row.matches)
        << row.pattern << " over " << row.name;
  }
}

TEST(Glob, any_pattern_of_the_set_will_do) {
  const GlobSet set({"acme/*", "tools/**"});
  EXPECT_TRUE(set.matches("acme/app"));
  EXPECT_TRUE(set.matches("tools/a/b"));
  EXPECT_FALSE(set.matches("other/app"));
  EXPECT_FALSE(set.empty());
}

TEST(Glob, empty_set_matches_nothing) {
  EXPECT_TRUE(GlobSet().empty());
  EXPECT_FALSE(GlobSet().matches(""));
  EXPECT_TRUE(GlobSet(std::vector<std::string>{}).empty());
}

TEST(Glob, unreadable_pattern_is_named) {
  for (const std::string pattern : {"", "a***", "a b", "a\tb", "caf\xc3\xa9"}) {
    try {
      GlobSet({"fine", pattern});
      ADD_FAILURE() << pattern;
    } catch (const std::invalid_argument& reason) {
      EXPECT_NE(std::string(reason.what()).find('"' + pattern + '"'), std::string::npos);
    }
  }
}

TEST(Glob, is_linear_in_the_name) {
  std::string pattern;
  for (int i = 0; i < 30; ++i) pattern += "a**";
  EXPECT_FALSE(GlobSet({pattern + "b"}).matches(std::string(100'000, 'a')));
}

}  // namespace
}  // namespace entrepot::base::glob_test
