// What bundles are made of: words, arithmetic, codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "support/temp_dir.hpp"
#include "support/words.hpp"
#include "transfer/bundle/ask_text.hpp"
#include "transfer/bundle/erasure_code.hpp"
#include "transfer/bundle/prefixes.hpp"
#include "transfer/bundle/stowage.hpp"
#include "transfer/bundle/tar_form.hpp"
#include "transfer/bundle/volume_head.hpp"
#include "transfer/bundle/want_text.hpp"

namespace entrepot::transfer::bundle_text_test {
namespace {

using test::digest_of;
using testing::HasSubstr;

std::vector<std::uint64_t> numbers(std::size_t count) {
  std::mt19937_64 random(7);
  std::vector<std::uint64_t> drawn(count);
  for (auto& number : drawn) number = random();
  std::ranges::sort(drawn);
  drawn.erase(std::ranges::unique(drawn).begin(), drawn.end());
  return drawn;
}

TEST(Prefixes, come_back) {
  constexpr auto most = ~std::uint64_t{0};
  const std::vector<std::uint64_t> cases[] = {
      {}, {0}, {most}, {0, most}, {0, 1, 2, 3}, {most - 1, most}, numbers(1000), numbers(1 << 16)};
  for (const auto& each : cases) {
    const auto packed = pack_prefixes(each);
    EXPECT_EQ(unpack_prefixes(packed, each.size()), each);
    EXPECT_FALSE(unpack_prefixes(packed + '\0', each.size()));
    if (each.empty()) continue;
    EXPECT_FALSE(unpack_prefixes(packed.substr(0, packed.size() - 1), each.size()));
    EXPECT_FALSE(unpack_prefixes(packed, each.size() * 1000));
  }
}

TEST(Prefixes, are_small) {
  const auto packed = pack_prefixes(numbers(100'000));
  EXPECT_LT(packed.size(), 620'000U);
  RecordProperty("bytes_per_digest_x1000", static_cast<int>(packed.size() / 100));
}

TEST(Prefixes, absurd_counts_take_no_memory) {
  EXPECT_FALSE(unpack_prefixes(std::string(100, '\xff'), ~std::uint64_t{0}));
  EXPECT_FALSE(unpack_prefixes(std::string(100, '\0'), 1ULL << 60U));
}

class SignedTexts : public testing::Test {
 protected:
  test::TempDir dir_;
  SiteKey key_ = SiteKey::load_or_make(dir_.path() / "site.key");
};

TEST_F(SignedTexts, keys) {
  const auto again = SiteKey::load_or_make(dir_.path() / "site.key");
  EXPECT_EQ(again.public_key(), key_.public_key());
  EXPECT_EQ(std::filesystem::status(dir_.path() / "site.key").permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_TRUE(is_signed_by(key_.public_key(), "text", again.sign("text")));
  EXPECT_FALSE(is_signed_by(key_.public_key(), "texts", key_.sign("text")));
  EXPECT_FALSE(is_signed_by("", "text", key_.sign("text")));
  EXPECT_FALSE(is_signed_by(key_.public_key(), "text", ""));
  EXPECT_EQ(key_id(key_.public_key()).size(), 16U);
  EXPECT_EQ(key_id("x"), "");
  const auto other = SiteKey::load_or_make(dir_.path() / "other.key");
  EXPECT_EQ(
      believed({{"a", other.public_key()}, {"b", key_.public_key()}}, key_.public_key())->name,
      "b");
  EXPECT_FALSE(believed({{"a", other.public_key()}}, key_.public_key()));
  EXPECT_FALSE(believed({{"a", "no key"}}, "no key"));
}

TEST_F(SignedTexts, a_want_comes_back) {
  const Want want{.site = {std::string(32, 'a'), "berlin"},
                  .made = base::WallTime(base::Milliseconds(5)),
                  .repositories = {"team/**"},
                  .prefixes = {prefix_of(digest_of("x"))}};
  const auto text = render(want, key_);
  const auto read = parse_want(text);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->key, key_.public_key());
  EXPECT_EQ(read->want.site.name, "berlin");
  EXPECT_TRUE(read->want.says(prefix_of(digest_of("x"))));
  EXPECT_FALSE(read->want.says(prefix_of(digest_of("y"))));
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(parse_want(changed)) << i;
  }
  EXPECT_FALSE(parse_ask(text));
}

VolumeHead head_of_parts() {
  VolumeHead head{.series = std::string(32, 'b'), .number = 1, .volumes = 2, .parities = 0};
  head.contents.bundle = std::string(32, 'b');
  head.contents.sender = {std::string(32, 'a'), "paris"};
  head.contents.lines = {{.repository = test::name("app"),
                          .from = "team/app",
                          .tag = test::tag("v1"),
                          .digest = digest_of("m"),
                          .version = {base::WallTime(base::Milliseconds(7)), std::string(32, 'c')},
                          .sparse = true}};
  head.contents.removals = {
      {.repository = test::name("app"),
       .tag = test::tag("v0"),
       .digest = std::nullopt,
       .version = {base::WallTime(base::Milliseconds(8)), std::string(32, 'c')}},
      {.repository = test::name("app"),
       .tag = std::nullopt,
       .digest = digest_of("r"),
       .version = {base::WallTime(base::Milliseconds(9)), std::string(32, 'd')}}};
  head.members = {{.kind = MemberKind::layout, .size = 30, .sum = digest_of("l")},
                  {.digest = digest_of("m"), .size = 9, .sum = digest_of("m")},
                  {.kind = MemberKind::part,
                   .digest = digest_of("p"),
                   .size = 4,
                   .offset = 6,
                   .total = 10,
                   .sum = digest_of("q")}};
  return head;
}

TEST(VolumeHeads, come_back) {
  const auto head = head_of_parts();
  const auto read = parse_volume_head(render(head));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->members, head.members);
  EXPECT_EQ(read->contents.lines, head.contents.lines);
  EXPECT_EQ(read->contents.removals, head.contents.removals);
  EXPECT_EQ(render(*read), render(head));
}

// Rows: R-10
TEST(VolumeHeads, absurd_ones_are_refused) {
  const auto good = render(head_of_parts());
  const auto with = [&](std::string_view from, std::string_view to) {
    auto text = good;
    const auto at = text.find(from);
    EXPECT_NE(at, text.npos) << from;
    return text.replace(at, from.size(), to);
  };
  const struct {
    std::string text;
    std::string why;
  } cases[] = {
      {"[]", "no JSON object"},
      {with("volume 1", "volume 2"), "unknown format"},
      {with(R"("number":1)", R"("number":3)"), "number"},
      {with(R"("number":1)", R"("number":-1)"), "no number"},
      {with(R"("volumes":2)", R"("volumes":9223372036854775807)"), "absurd"},
      {with(R"("series":"bb)", R"("series":"..)"), "series"},
      {with(R"("bundle":"bb)", R"("bundle":"//)"), "id"},
      {with("oci-layout", "../../etc"), "unknown kind"},
      {with(",6,10]", ",7,10]"), "does not lie"},
      {with(",6,10]", ",6]"), "too short"},
      {with(R"(,9])", R"(,8796093022209])"), "absurd"},
      {with("\"app\"", "\"../app\""), "repository"},
      {with("\"v1\"", "\"v/1\""), "tag"},
      {with(digest_of("p").text(), digest_of("m").text()), ""},
      {with("\"images\":[", "\"images\":[1,"), "row"},
      {with("\"removals\":[", "\"removals\":[1,"), "row"},
      {with("\"v0\"", "\"../v0\""), "tag"},
      {with(digest_of("r").text(), ""), "digest"},
      {with(digest_of("r").text(), "sha256:../../etc"), "digest"},
      {with(",9,1]", ",9,2]"), "short"},
  };
  for (const auto& each : cases) {
    const auto read = parse_volume_head(each.text);
    if (each.why.empty()) continue;
    ASSERT_FALSE(read) << each.why;
    EXPECT_THAT(read.error(), HasSubstr(each.why));
  }
  auto twice = head_of_parts();
  twice.members.push_back(twice.members[1]);
  EXPECT_THAT(parse_volume_head(render(twice)).error(), HasSubstr("stands twice"));
}

TEST(TarForm, headers_say_their_size) {
  for (const std::uint64_t size : {0ULL, 1ULL, 511ULL, 8589934591ULL}) {
    const auto header = tar_header("blobs/x", size);
    EXPECT_EQ(header.size(), tar_block);
    EXPECT_EQ(size_in_header(header, "blobs/x"), size);
    EXPECT_FALSE(size_in_header(header, "blobs/y"));
  }
  EXPECT_FALSE(size_in_header(tar_header("x", 1ULL << 34U), "x"));
  const std::string longest(120, 'x');
  EXPECT_EQ(tar_header(longest, 3).size(), 3 * tar_block);
  EXPECT_EQ(tar_footprint(longest, 3), 4 * tar_block);
  EXPECT_EQ(tar_footprint("x", 512), 2 * tar_block);
}

TEST(Stowage, keeps_together_fills_up_and_cuts) {
  const std::vector<Parcel> parcels{{40, 10}, {30, 10}, {50, 10}, {250, 10}, {20, 10}};
  const auto volumes = stow(parcels, {{{0, 1}, 5}, {{2}, 5}, {{3}, 5}, {{4}, 5}}, 120, 10);
  std::vector<std::uint64_t> seen(parcels.size());
  for (const auto& volume : volumes) {
    std::uint64_t used = 0;
    for (const auto& [parcel, offset, size] : volume) {
      seen[parcel] += size;
      used += size + parcels[parcel].cost;
    }
    EXPECT_LE(used, 120U);
  }
  EXPECT_THAT(seen, testing::ElementsAre(40, 30, 50, 250, 20));
  EXPECT_THAT(volumes[0], testing::ElementsAre(Stowed{0, 0, 40}, Stowed{1, 0, 30}));
  EXPECT_THAT(volumes[1], testing::ElementsAre(Stowed{2, 0, 50}, Stowed{4, 0, 20}));
}

TEST(ErasureCodes, any_rows_give_back_the_others) {
  constexpr std::size_t data = 5;
  constexpr std::size_t parity = 3;
  const ErasureCode code(data, parity);
  std::vector<ErasureCode::Row> rows;
  for (unsigned i = 0; i < data; ++i) {
    const auto bytes = test::noise(1000, i + 1);
    rows.emplace_back(bytes.begin(), bytes.end());
  }
  std::vector<ErasureCode::Row> more(parity, ErasureCode::Row(1000));
  code.encode(rows, more);
  auto all = rows;
  all.insert(all.end(), more.begin(), more.end());
  for (unsigned lost = 0; lost < (1U << (data + parity)); ++lost) {
    if (std::popcount(lost) != parity) continue;
    std::vector<std::size_t> there;
    std::vector<ErasureCode::Row> kept;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if ((lost >> i & 1U) != 0) continue;
      there.push_back(i);
      kept.push_back(all[i]);
    }
    std::vector<ErasureCode::Row> found(data, ErasureCode::Row(1000));
    code.decode(there, kept, {0, 1, 2, 3, 4}, found);
    EXPECT_EQ(found, rows) << lost;
  }
}

}  // namespace
}  // namespace entrepot::transfer::bundle_text_test
