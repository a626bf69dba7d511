#include "replication/version.hpp"

#include <gtest/gtest.h>

#include "replication/order.hpp"
#include "replication/version_range.hpp"
#include "support/words.hpp"

namespace entrepot::replication::version_test {
namespace {

SemanticVersion version(std::string_view text) { return SemanticVersion::parse(text).value(); }

// The list of section 11 of the specification, and what we tolerate.
TEST(SemanticVersion, IsOrderedAsTheSpecificationSays) {
  const std::string_view ascending[] = {"0.0.0-0",     "0.0.0",         "0.9.9",
                                        "1.0.0-1",     "1.0.0-2",       "1.0.0-10",
                                        "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
                                        "1.0.0-beta",  "1.0.0-beta.2",  "1.0.0-beta.11",
                                        "1.0.0-rc.1",  "1.0.0",         "1.0.1",
                                        "1.2",         "v1.10",         "2",
                                        "2024.01.15",  "20240115"};
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    for (std::size_t j = 0; j < std::size(ascending); ++j) {
      EXPECT_EQ(version(ascending[i]) <=> version(ascending[j]), i <=> j)
          << ascending[i] << " and " << ascending[j];
    }
  }
}

TEST(SemanticVersion, ReadsTagsAsPeopleWriteThem) {
  const std::pair<std::string_view, std::string_view> equal[] = {
      {"v1.2.3", "1.2.3"},
      {"V1.2.3", "1.2.3"},
      {"1.2", "1.2.0"},
      {"1", "1.0.0"},
      {"01.02.03", "1.2.3"},
      {"1.2.3+build.5", "1.2.3"},
      {"1.2.3_build5", "1.2.3"},
      {"1.2-rc1", "1.2.0-rc1"},
      {"1.2.3-rc.1_x86_64", "1.2.3-rc.1"},
      {"1.0.0-007", "1.0.0-7"},
  };
  for (const auto& [tag, meaning] : equal) EXPECT_EQ(version(tag), version(meaning)) << tag;
}

TEST(SemanticVersion, KnowsWhatIsNone) {
  for (const std::string_view text :
       {"", "latest", "v", "1.", ".1", "1.2.3.4", "1..2", "-1", "1.2.x", "x", "1.2.3-",
        "1.2.3-a..b", "1.2.3+", "1.2.3_", "99999999999999999999", "=1.2.3", "1.2.3-a b",
        "sha256-abc", "3.18 "}) {
    EXPECT_FALSE(SemanticVersion::parse(text)) << text;
  }
  EXPECT_TRUE(SemanticVersion::parse("1.2.3-99999999999999999999999"));
}

struct Case {
  std::string_view range;
  std::string_view in;  // versions, by blanks
  std::string_view out;
};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (c == ' ') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

void expect(const Case& table, bool prereleases) {
  const VersionRange range(table.range, prereleases);
  for (const auto& text : split(table.in)) {
    EXPECT_TRUE(range.contains(version(text))) << text << " in " << table.range;
  }
  for (const auto& text : split(table.out)) {
    EXPECT_FALSE(range.contains(version(text))) << text << " in " << table.range;
  }
}

TEST(VersionRange, TakesReleases) {
  const Case table[] = {
      {"*", "0.0.0 1.2.3 99", "1.0.0-a"},
      {"1.2.3", "1.2.3 v1.2.3", "1.2.4 1.2.3-a"},
      {"=1.2.3", "1.2.3", "1.2.4"},
      {"1", "1.0.0 1.9.9", "0.9.9 2.0.0"},
      {"1.x", "1.0.0 1.9.9", "2.0.0"},
      {"1.2.*", "1.2.0 1.2.9", "1.3.0 1.1.9"},
      {"1.2.X", "1.2.9", "1.3.0"},
      {"v1.2", "1.2.0 1.2.9", "1.3.0"},
      {">=1.2 <2", "1.2.0 1.99.0", "1.1.9 2.0.0 2.0.0-rc1"},
      {">=1.2, <2", "1.2.0", "2.0.0"},
      {">= 1.2 < 2", "1.2.0", "2.0.0 1.1.0"},
      {">1.2", "1.3.0", "1.2.0 1.2.9"},
      {">1.2.3", "1.2.4", "1.2.3"},
      {"<=1.2", "1.2.9 0.1.0", "1.3.0"},
      {"<=1.2.3", "1.2.3", "1.2.4"},
      {"<1.2", "1.1.9", "1.2.0"},
      {">*", "", "0.0.0 1.0.0"},
      {"<*", "", "0.0.0 1.0.0"},
      {">=*", "0.0.0 7.0.0", ""},
      {"^1.4", "1.4.0 1.9.0", "1.3.9 2.0.0"},
      {"^1.4.2", "1.4.2 1.5.0", "1.4.1 2.0.0"},
      {"^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2"},
      {"^0.0.3", "0.0.3", "0.0.4"},
      {"^0.0", "0.0.0 0.0.9", "0.1.0"},
      {"^0", "0.0.1 0.9.0", "1.0.0"},
      {"^1", "1.0.0 1.9.0", "2.0.0"},
      {"^*", "0.0.0 5.0.0", ""},
      {"~1.4.2", "1.4.2 1.4.9", "1.5.0 1.4.1"},
      {"~1.4", "1.4.0 1.4.9", "1.5.0"},
      {"~1", "1.0.0 1.9.0", "2.0.0"},
      {"~>1.4", "1.4.9", "1.5.0"},
      {"1.2 - 2.0", "1.2.0 2.0.9", "1.1.9 2.1.0"},
      {"1.2.3 - 2.0.0", "1.2.3 2.0.0", "2.0.1"},
      {"^1.4 || ^3", "1.5.0 3.1.0", "2.0.0 4.0.0"},
      {"1.2.3||2.x", "1.2.3 2.5.0", "1.2.4"},
  };
  for (const auto& row : table) expect(row, false);
}

TEST(VersionRange, TakesPrereleasesOnlyWhenTheyAreAskedFor) {
  const Case named[] = {
      {">=1.2.3-a", "1.2.3-b 1.2.3 1.3.0", "1.3.0-b 1.2.2"},
      {"^1.2.3-rc.1", "1.2.3-rc.2 1.9.0", "1.2.3-rc.0 1.4.0-a 2.0.0-a"},
      {"1.2.3-rc.1", "1.2.3-rc.1", "1.2.3 1.2.3-rc.2"},
      {"<2.0.0-b", "2.0.0-a 1.0.0", "2.0.0 1.0.0-a"},
      {">1.2.3-a", "1.2.3-b", "1.2.3-a"},
  };
  for (const auto& row : named) expect(row, false);
  const Case wanted[] = {
      {"^1.2", "1.2.0-a 1.9.0-rc1", "2.0.0-a 1.1.9"},
      {"1.x", "1.0.0-alpine 1.5.0-alpine", "2.0.0-alpine"},
      {">=1.2.3 <2", "1.2.4-a", "1.2.3-a 2.0.0-a"},
      {"*", "0.0.0-a 9.0.0-b", ""},
      {"<=1.2.3", "1.2.3-a", "1.2.4-a"},
      {"1.2.3", "1.2.3", "1.2.3-a 1.2.4-a"},
  };
  for (const auto& row : wanted) expect(row, true);
}

TEST(VersionRange, SaysWhatItCannotRead) {
  for (const std::string_view text : {"", " ", "||", "1 ||", "latest", ">=", "1.2.3.4", ">=<1",
                                      "~^1", "1 - ", "x.1", "*-a", "1.x-a", "^", "a - b"}) {
    EXPECT_THROW(VersionRange(text, false), std::invalid_argument) << text;
  }
}

// ---- order ------------------------------------------------------------------------------------

TEST(NaturalOrder, CountsDigitsAsNumbers) {
  const std::string_view ascending[] = {"",
                                        "a",
                                        "a1",
                                        "a2",
                                        "a10",
                                        "a10b",
                                        "a010b2",
                                        "b",
                                        "build-9",
                                        "build-10",
                                        "build-99999999999999999999999"};
  for (std::size_t i = 0; i + 1 < std::size(ascending); ++i) {
    EXPECT_TRUE(natural_order(ascending[i], ascending[i + 1]) < 0)
        << ascending[i] << " and " << ascending[i + 1];
    EXPECT_TRUE(natural_order(ascending[i + 1], ascending[i]) > 0);
  }
  EXPECT_TRUE(natural_order("1.01", "1.1") != 0);
  EXPECT_TRUE(natural_order("x1", "x1") == 0);
}

TEST(Newest, GoesByVersionsThenByNames) {
  const std::pair<std::vector<std::string>, std::vector<std::string>> table[] = {
      {{"1.2.0", "1.10.0", "1.9.0", "latest", "edge"}, {"1.10.0", "1.9.0"}},
      {{"build-9", "build-10", "build-2"}, {"build-10", "build-9"}},
      {{"2.0.0-rc1", "1.0.0", "2.0.0"}, {"2.0.0", "2.0.0-rc1"}},
      {{"latest", "1.0.0", "nightly"}, {"1.0.0", "nightly"}},
      {{"1.2", "1.2.0"}, {"1.2.0", "1.2"}},
      {{"one"}, {"one"}},
      {{}, {}},
  };
  for (const auto& [from, chosen] : table) {
    std::vector<oci::Tag> tags;
    for (const auto& text : from) tags.push_back(test::tag(text));
    std::vector<std::string> found;
    for (const auto& tag : newest(tags, 2)) found.push_back(tag.text());
    EXPECT_EQ(found, chosen);
  }
}

}  // namespace
}  // namespace entrepot::replication::version_test
