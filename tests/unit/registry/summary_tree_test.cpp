#include "registry/summary_tree.hpp"

#include <gtest/gtest.h>

#include <random>

namespace entrepot::registry::summary_tree_test {
namespace {

oci::Digest digest(std::string_view text) {
  return oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(text));
}

TEST(SummaryTree, what_is_a_prefix) {
  for (const auto* good : {"", "0", "f", "0123abcd"}) EXPECT_TRUE(is_prefix(good)) << good;
  for (const auto* bad : {"A", "g", "0123abcde", " ", "-"}) EXPECT_FALSE(is_prefix(bad)) << bad;
}

// Both ends of a line compute it: these are on the wire.
TEST(SummaryTree, the_bytes_of_a_leaf_never_change) {
  const auto tag = leaf_of("team/app", "v1", digest("x"));
  const auto manifest = leaf_of("team/app", "", digest("x"));
  EXPECT_EQ(tag.place, 0xa787f35296e64cdcu);
  EXPECT_EQ(tag.hash[0], 0xccf7985f43c29aa7u);
  EXPECT_EQ(tag.hash[1], 0x30efb4700b3ba4e7u);
  EXPECT_EQ(manifest.place, 0x1ebda028aa0140f2u);
  EXPECT_EQ(tag.place, place_of("team/app", "v1", digest("y"))) << "a tag stays where it is";
  EXPECT_NE(manifest.place, place_of("team/app", "", digest("y")));
}

TEST(SummaryTree, nodes_are_what_a_walk_over_all_items_finds) {
  std::mt19937_64 random(1);
  std::vector<SummaryLeaf> leaves;
  for (int i = 0; i < 2000; ++i) {
    const auto place = i % 3 ? random() : random() >> 40;  // crowded at the beginning
    leaves.push_back({place, {random(), random()}});
  }
  leaves.push_back({~std::uint64_t{0}, {1, ~std::uint64_t{0}}});
  const SummaryTree tree(leaves);
  for (const std::string prefix :
       {"", "0", "f", "00", "ff", "7a", "00000", "ffffffff", "00000000"}) {
    const auto summary = tree.summary(prefix);
    EXPECT_EQ(summary.prefix, prefix);
    for (std::size_t digit = 0; digit < 16; ++digit) {
      SummaryNode expected;
      const auto child = prefix + "0123456789abcdef"[digit];
      for (const auto& leaf : leaves) {
        std::array<char, 17> digits{};
        std::snprintf(digits.data(), digits.size(), "%016jx", std::uintmax_t{leaf.place});
        if (!std::string_view(digits.data()).starts_with(child)) continue;
        EXPECT_TRUE(is_under(leaf.place, prefix));
        ++expected.items;
        const auto low = expected.sum[1];
        expected.sum[1] += leaf.hash[1];
        expected.sum[0] += leaf.hash[0] + (expected.sum[1] < low ? 1 : 0);
      }
      EXPECT_EQ(summary.children[digit], expected) << child;
    }
  }
  EXPECT_FALSE(is_under(std::uint64_t{0xf} << 60, "e"));
}

TEST(SummaryTree, of_nothing_has_nothing) {
  EXPECT_EQ(SummaryTree({}).summary("abc").children, Summary{}.children);
}

}  // namespace
}  // namespace entrepot::registry::summary_tree_test
