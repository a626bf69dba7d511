// A dry run tells what a real one does (reliability.md O-12).
#include <gtest/gtest.h>

#include <random>

#include "unit/upkeep/upkeep_house.hpp"
#include "upkeep/overlay.hpp"

namespace entrepot::upkeep::dry_run_test {
namespace {

// Images, nested indexes, referrers, shared layers and rubbish, tagged or not, as the dice fall.
void furnish(UpkeepHouse& house, unsigned seed) {
  std::mt19937 dice(seed);
  const auto roll = [&](unsigned sides) { return dice() % sides; };
  std::vector<std::string> images;
  for (int i = 0; i < 40; ++i) {
    const auto repository = "app" + std::to_string(roll(3));
    const auto word = std::to_string(roll(30));
    const auto number = std::to_string(i);
    std::vector<std::string> tags;
    if (roll(3) == 0) tags.push_back("t" + std::to_string(roll(5)));
    switch (roll(5)) {
      case 0:
        house.blob(repository, "rubbish " + number);
        break;
      case 1:
        if (!images.empty()) {
          const auto& child = images[roll(static_cast<unsigned>(images.size()))];
          images.push_back(house.manifest(repository, index_of({child}), tags));
        }
        break;
      case 2:
        if (!images.empty()) {
          const auto& subject = images[roll(static_cast<unsigned>(images.size()))];
          images.push_back(house.image(repository, word, tags, subject_member(subject)));
        }
        break;
      default:
        images.push_back(house.image(repository, word, tags));
    }
    if (roll(4) == 0) house.age();
  }
  house.store.put(digest_of("unknown"), "unknown", house.clock.wall());
  house.store.remove(digest_of("layer of 7"));
  if (roll(2) == 0) house.age();
}

// Rows: O-12
TEST(DryRun, TellsTheSameAsTheRealRun) {
  for (unsigned seed = 1; seed <= 25; ++seed) {
    UpkeepHouse house;
    furnish(house, seed);
    const auto options = UpkeepHouse::options(seed % 3 == 0 ? Untagged::keep : Untagged::remove);
    const auto promised = house.collect(options, Trial::dry_run);
    const auto rehearsed = lines(house.told);
    EXPECT_EQ(lines(house.told).size(), promised.links + promised.manifests + promised.blobs +
                                            promised.unknown_files + promised.lost_rows);
    house.collect(options, Trial::dry_run);
    EXPECT_EQ(lines(house.told), rehearsed) << "a dry run changed something, seed " << seed;
    const auto done = house.collect(options);
    EXPECT_EQ(lines(house.told), rehearsed) << "seed " << seed;
    EXPECT_EQ(done.bytes, promised.bytes) << "seed " << seed;
    EXPECT_EQ(house.collect(options).links, 0U) << "one round is enough, seed " << seed;
  }
}

TEST(Overlay, ShowsChangesInTheOrderOfKeys) {
  constexpr auto space = static_cast<index::Space>(7);
  test::MemoryIndex facts;
  boost::asio::io_context context(1);
  const auto put = [](index::Batch& batch, std::string_view key, std::string_view value) {
    batch.put(space, base::as_bytes(key), base::as_bytes(value));
  };
  test::run_on(context, facts.write([&](index::Batch& batch) {
    for (const auto* const key : {"a1", "a3", "a5", "b1"}) put(batch, key, "below");
  }));
  Overlay::Changes changes;
  const auto rows = [&](std::string_view prefix, std::string_view after, std::size_t limit) {
    return test::run_on(context, facts.read([&](const index::View& view) {
      std::string text;
      Overlay(view, changes)
          .scan(space, base::as_bytes(prefix), base::as_bytes(after),
                [&](base::ByteView key, base::ByteView value) {
                  text += std::string(base::as_text(key)) + "=" +
                          std::string(base::as_text(value)) + " ";
                  return --limit == 0 ? index::Continue::no : index::Continue::yes;
                });
      return text;
    }));
  };
  test::run_on(context, facts.read([&](const index::View& view) {
    Overlay overlay(view, changes);
    put(overlay, "a0", "above");
    put(overlay, "a3", "above");
    put(overlay, "a4", "above");
    put(overlay, "a9", "above");
    put(overlay, "c1", "above");
    overlay.erase(space, base::as_bytes("a5"));
    overlay.erase(space, base::as_bytes("a7"));
    EXPECT_FALSE(overlay.get(space, base::as_bytes("a5")));
    EXPECT_TRUE(overlay.get(space, base::as_bytes("a4")));
    EXPECT_TRUE(overlay.get(space, base::as_bytes("a1")));
  }));
  EXPECT_EQ(rows("a", "", 99), "a0=above a1=below a3=above a4=above a9=above ");
  EXPECT_EQ(rows("a", "a1", 99), "a3=above a4=above a9=above ");
  EXPECT_EQ(rows("a", "a4", 99), "a9=above ");
  EXPECT_EQ(rows("a", "", 3), "a0=above a1=below a3=above ");
  EXPECT_EQ(rows("", "a5", 99), "a9=above b1=below c1=above ");
  EXPECT_EQ(rows("b", "", 99), "b1=below ");
  EXPECT_EQ(rows("d", "", 99), "");
}

}  // namespace
}  // namespace entrepot::upkeep::dry_run_test
