// Bundles from one site to another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/transfer/carrier_house.hpp"

namespace entrepot::transfer::bundle_test {
namespace {

using State = ApplyReport::State;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t small_volume = BundleOptions::least_volume;

class Bundles : public testing::Test {
 protected:
  Bundles() { berlin.trust(paris); }

  // Volumes of `paris`, in order; parity behind them.
  std::vector<fs::path> create(BundleOptions options = {}) {
    if (options.directory.empty()) options.directory = bag.path() / "out";
    report = paris.create(options);
    std::vector<fs::path> files;
    for (const auto& volume : report.volumes) files.push_back(options.directory / volume);
    return files;
  }
  void push_many(int count, std::size_t layer_size = 40'000) {
    for (int i = 0; i < count; ++i) {
      paris.push_image("team/app" + std::to_string(i % 3), {"v" + std::to_string(i)},
                       static_cast<unsigned>(i + 1), layer_size);
    }
  }
  void expect_same() {
    for (const auto& image : paris.all_images()) {
      const auto of_tag = image.tag->text();
      EXPECT_EQ(berlin.tagged(image.repository.text(), of_tag), image.digest) << of_tag;
      EXPECT_TRUE(berlin.pulls(image.repository.text(), of_tag)) << of_tag;
    }
  }

  test::TempDir bag;
  CarrierHouse paris{"paris"};
  CarrierHouse berlin{"berlin"};
  BundleReport report;
};

TEST_F(Bundles, a_whole_site_in_one_volume) {
  push_many(4);
  const auto files = create();
  ASSERT_THAT(files, SizeIs(1));
  EXPECT_EQ(report.volume_bytes, fs::file_size(files.front()));
  const auto applied = berlin.apply(files);
  EXPECT_EQ(applied.state, State::done);
  EXPECT_EQ(applied.from, "paris");
  EXPECT_EQ(applied.tags, 4U);
  expect_same();
  EXPECT_THAT(files_in(berlin.data.path() / "bundles"), IsEmpty());
}

// Applied again, nothing changes, whatever was done here since.
TEST_F(Bundles, twice_is_once) {
  push_many(2);
  const auto files = create();
  berlin.apply(files);
  EXPECT_EQ(berlin.apply(files).state, State::held);
  const auto mine = berlin.push_image("team/app0", {"v0"}, 77);
  EXPECT_EQ(berlin.apply(files).state, State::held);
  EXPECT_EQ(berlin.tagged("team/app0", "v0"), digest_of(mine));
}

TEST_F(Bundles, in_any_order_and_in_several_runs) {
  push_many(20);
  const auto files = create({.volume_size = small_volume});
  ASSERT_GE(files.size(), 4U);
  for (const auto& file : files) EXPECT_LE(fs::file_size(file), small_volume);
  for (std::size_t i = files.size(); i-- > 1;) {
    const auto applied = berlin.apply({files[i]});
    EXPECT_EQ(applied.state, State::incomplete);
    EXPECT_THAT(applied.lost, SizeIs(i));
    EXPECT_EQ(applied.volumes, files.size());
    EXPECT_THAT(berlin.all_images(), IsEmpty());
  }
  EXPECT_EQ(berlin.apply({files[0]}).state, State::done);
  expect_same();
}

TEST_F(Bundles, only_what_the_receiver_has_not) {
  push_many(20);
  const auto first = create();
  berlin.apply(first);
  for (int i = 20; i < 22; ++i) {
    paris.push_image("team/new", {"v" + std::to_string(i)}, static_cast<unsigned>(i + 1));
  }
  paris.trust(berlin);
  berlin.want(bag.path() / "want");
  const auto files = create({.directory = bag.path() / "delta", .want = bag.path() / "want"});
  EXPECT_EQ(report.blobs, 4U);
  EXPECT_EQ(report.manifests, 2U);
  EXPECT_EQ(report.images, 2U);
  EXPECT_GT(report.held_bytes, 20U * 40'000);
  EXPECT_EQ(berlin.apply(files).state, State::done);
  expect_same();
  // A tag that moves to what is there, or a digest that another repository has, is news.
  paris.push_manifest("team/new", paris.push_image("team/new", {}, 1), {"v0", "v21"});
  berlin.want(bag.path() / "want");
  const auto moves = create({.directory = bag.path() / "moves", .want = bag.path() / "want"});
  EXPECT_EQ(report.images, 2U);
  EXPECT_EQ(report.bytes, 0U);
  EXPECT_EQ(berlin.apply(moves).tags, 2U);
  expect_same();
  // It is for berlin only.
  CarrierHouse rome{"rome"};
  rome.trust(paris);
  EXPECT_EQ(rome.apply(files).state, State::refused);
  EXPECT_TRUE(rome.told("is for the site berlin"));
}

TEST_F(Bundles, a_want_file_of_somebody_unknown) {
  push_many(1);
  berlin.want(bag.path() / "want");
  EXPECT_THROW(create({.want = bag.path() / "want"}), std::runtime_error);
}

// What the receiver had when it wrote the want-file and has no more is asked for.
TEST_F(Bundles, what_was_collected_meanwhile_is_asked_for) {
  paris.trust(berlin);
  const auto layer = digest_of(test::noise(40'000, 1001));
  push_many(2);
  berlin.apply(create());
  berlin.want(bag.path() / "want");
  paris.push_image("team/more", {"v9"}, 1, 40'000, R"(,"annotations":{"a":"b"})");
  const auto files = create({.directory = bag.path() / "delta", .want = bag.path() / "want"});
  test::run_on(berlin.context,
               berlin.facts->write([&](index::Batch& batch) { index::forget_blob(batch, layer); }));
  const auto applied = berlin.apply(files, bag.path() / "ask");
  EXPECT_EQ(applied.state, State::incomplete);
  EXPECT_EQ(applied.missing, 1U);
  EXPECT_EQ(applied.missing_bytes, 40'000U);
  EXPECT_FALSE(berlin.tagged("team/more", "v9"));
  const auto again = create({.directory = bag.path() / "again", .again = bag.path() / "ask"});
  EXPECT_EQ(report.blobs, 1U);
  EXPECT_EQ(report.bundle, applied.bundle);
  EXPECT_EQ(berlin.apply(again).state, State::done);
  expect_same();
}

// Not kept of its volume, since it was here; the volume is at hand and is read once more.
TEST_F(Bundles, what_was_held_and_then_collected_is_taken_of_a_volume_read_before) {
  push_many(20);
  berlin.push_image("team/mine", {"x"}, 1);
  const auto layer = digest_of(test::noise(40'000, 1001));
  const auto files = create({.volume_size = small_volume});
  EXPECT_EQ(berlin.apply({files.front()}).state, State::incomplete);
  test::run_on(berlin.context,
               berlin.facts->write([&](index::Batch& batch) { index::forget_blob(batch, layer); }));
  const auto rest = berlin.apply({files.begin() + 1, files.end()});
  EXPECT_EQ(rest.state, State::incomplete);
  EXPECT_EQ(rest.missing, 1U) << "the layer is of the first volume";
  EXPECT_THAT(rest.lost, IsEmpty());
  EXPECT_EQ(berlin.apply({files.front()}).state, State::done);
  expect_same();
}

TEST_F(Bundles, a_lost_volume_is_asked_for) {
  push_many(20);
  auto files = create({.volume_size = small_volume});
  paris.trust(berlin);
  files.erase(files.begin() + 1);
  const auto applied = berlin.apply(files, bag.path() / "ask");
  EXPECT_EQ(applied.state, State::incomplete);
  EXPECT_THAT(applied.lost, ElementsAre(2U));
  EXPECT_EQ(applied.ask, (bag.path() / "ask").string());
  const auto images = read_ask(bag.path() / "ask");
  EXPECT_THAT(images, SizeIs(20));
  const auto again = create({.directory = bag.path() / "again",
                             .again = bag.path() / "ask",
                             .volume_size = 2 * small_volume});
  EXPECT_LT(report.bytes, small_volume);
  EXPECT_EQ(berlin.apply(again).state, State::done);
  expect_same();
}

TEST_F(Bundles, parity_stands_in_for_lost_and_damaged_volumes) {
  push_many(20);
  auto files = create({.volume_size = small_volume, .parity = 2});
  for (const auto& file : files) EXPECT_LE(fs::file_size(file), small_volume) << file;
  const auto damaged = files[2].filename().string();
  flip_bit(files[2], 8 * (fs::file_size(files[2]) / 2));
  files.erase(files.begin());
  const auto applied = berlin.apply(files);
  EXPECT_EQ(applied.state, State::done) << testing::PrintToString(berlin.troubles);
  EXPECT_THAT(applied.damaged, ElementsAre(damaged));
  EXPECT_THAT(applied.rebuilt, ElementsAre(1U, 3U));
  EXPECT_TRUE(berlin.told(damaged + " is damaged in its member blobs/sha256/"));
  expect_same();
}

// More damage than parity volumes, but never to the same slice of more than one.
TEST_F(Bundles, parity_works_by_slices) {
  push_many(3, 3 << 20);
  auto files = create({.volume_size = 4 << 20, .parity = 1});
  ASSERT_THAT(files, SizeIs(4));
  for (std::uint64_t i = 0; i < 3; ++i) flip_bit(files[i], 8 * (i * (1 << 20) + 600'000));
  const auto applied = berlin.apply(files);
  EXPECT_EQ(applied.state, State::done);
  EXPECT_THAT(applied.rebuilt, SizeIs(3));
  expect_same();
}

// A volume whose head is damaged does not say what it is: its slices do.
TEST_F(Bundles, a_volume_without_a_head_is_recognized) {
  push_many(3, 3 << 20);
  auto files = create({.volume_size = 4 << 20, .parity = 1});
  flip_bit(files[0], 8 * 700);
  flip_bit(files[1], 8 * ((2 << 20) + 5));
  const auto applied = berlin.apply(files);
  EXPECT_EQ(applied.state, State::done) << testing::PrintToString(berlin.troubles);
  EXPECT_THAT(applied.damaged,
              testing::UnorderedElementsAre(files[0].filename(), files[1].filename()));
  expect_same();
}

TEST_F(Bundles, too_much_damage_is_told) {
  push_many(12);
  auto files = create({.volume_size = small_volume, .parity = 1});
  files.erase(files.begin(), files.begin() + 2);
  const auto applied = berlin.apply(files);
  EXPECT_EQ(applied.state, State::incomplete);
  EXPECT_THAT(applied.lost, ElementsAre(1U, 2U));
  EXPECT_GT(applied.missing, 0U);
  EXPECT_THAT(berlin.all_images(), IsEmpty());
}

// A blob larger than a volume crosses in parts.
TEST_F(Bundles, a_blob_in_parts) {
  paris.push_image("team/large", {"v1"}, 1, 900'000);
  push_many(3);
  auto files = create({.volume_size = small_volume, .parity = 1});
  EXPECT_GE(files.size(), 5U);
  files.erase(files.begin() + 1);
  EXPECT_EQ(berlin.apply(files).state, State::done);
  expect_same();
}

// Rows: R-10
TEST_F(Bundles, one_flipped_bit_anywhere_is_refused) {
  push_many(1, 3000);
  const auto file = create().front();
  const auto volume = file.filename().string();
  const auto whole = text_of(file);
  // All of the signature and what is around it, and a hundred places elsewhere.
  const auto seal = whole.find("entrepot/volume.sig");
  const auto is_near = [&](std::size_t at) { return at >= seal && at < seal + 700; };
  for (std::size_t at = 0; at < whole.size(); at += is_near(at) ? 1 : whole.size() / 97 + 1) {
    flip_bit(file, at * 8 + at % 8);
    const auto reports = berlin.apply_all({.paths = {file}});
    const bool refused = reports.empty() || reports.front().damaged == std::vector{volume};
    EXPECT_TRUE(refused) << at;
    EXPECT_TRUE(berlin.told(volume)) << at;
    berlin.run(berlin.intake().sweep(berlin.clock.wall() + std::chrono::hours(1)));
    put_text(file, whole);
  }
  for (const auto& other : {whole.substr(0, whole.size() - 1), whole + '\0', whole.substr(0, 700),
                            whole.substr(0, 100), std::string()}) {
    put_text(file, other);
    berlin.apply_all({.paths = {file}});
    EXPECT_TRUE(berlin.told(volume)) << other.size();
  }
}

// Bytes that parity would give back wrong are not given back.
// Rows: R-10
TEST_F(Bundles, a_flipped_bit_in_parity_rebuilds_nothing) {
  push_many(12);
  auto files = create({.volume_size = small_volume, .parity = 1});
  const auto parity = files.back();
  const auto whole = text_of(parity);
  files.erase(files.begin());
  for (std::size_t at = 0; at < whole.size(); at += whole.size() / 23 + 1) {
    flip_bit(parity, at * 8 + at % 8);
    const auto applied = berlin.apply(files);
    EXPECT_EQ(applied.state, State::incomplete) << at;
    EXPECT_THAT(applied.rebuilt, IsEmpty()) << at;
    EXPECT_THAT(berlin.all_images(), IsEmpty());
    put_text(parity, whole);
  }
  EXPECT_EQ(berlin.apply(files).state, State::done);
  expect_same();
}

TEST_F(Bundles, a_foreign_signature_is_refused) {
  CarrierHouse stranger{"paris"};
  stranger.push_image("team/app", {"v1"}, 5);
  stranger.create({.directory = bag.path() / "theirs", .images = stranger.all_images()});
  const auto files = files_in(bag.path() / "theirs");
  EXPECT_THAT(berlin.apply_all({.paths = files}), IsEmpty());
  EXPECT_TRUE(berlin.told(files.front().filename().string() + " is signed by the key " +
                          key_id(stranger.key.public_key())));
  EXPECT_FALSE(fs::exists(berlin.data.path() / "bundles"));
  // Our own are believed.
  EXPECT_EQ(stranger.apply(files).state, State::held);
}

TEST_F(Bundles, trees_and_referrers_come_along) {
  const auto one = paris.push_image("app", {}, 1);
  const auto two = paris.push_image("app", {}, 2);
  const auto index =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)" +
      test::descriptor(oci::media_type::oci_manifest, digest_of(one), one.size()) + "," +
      test::descriptor(oci::media_type::oci_manifest, digest_of(two), two.size()) + "]}";
  paris.push_manifest("app", index, {"all"}, oci::media_type::oci_index);
  const auto signature =
      paris.push_image("app", {}, 3, 100,
                       R"(,"subject":)" + test::descriptor(oci::media_type::oci_manifest,
                                                           digest_of(one), one.size()));
  EXPECT_EQ(berlin.apply(create()).state, State::done);
  expect_same();
  const auto found = berlin.run(berlin.local.referrers(name("app"), digest_of(one), {}, {}));
  ASSERT_EQ(found->referrers.size(), 1U);
  EXPECT_TRUE(berlin.pulls("app", digest_of(signature).text()));
}

TEST_F(Bundles, renamed_and_mirrored_names) {
  push_many(2);
  auto images = paris.all_images();
  images[0].repository = name("from/paris");
  auto report = paris.create({.directory = bag.path() / "out", .images = images});
  const auto applied = berlin.apply_all(
      {.paths = {bag.path() / "out"}, .accepts = [](const oci::RepositoryName& repository) {
         return repository.first_component() != "team";
       }});
  EXPECT_EQ(applied.front().state, State::done);
  EXPECT_EQ(applied.front().refused, 1U);
  EXPECT_TRUE(berlin.pulls("from/paris", images[0].tag->text()));
  EXPECT_FALSE(berlin.tagged(images[1].repository.text(), images[1].tag->text()));
}

TEST_F(Bundles, what_is_kept_can_be_given_up) {
  push_many(20);
  const auto files = create({.volume_size = small_volume});
  const auto applied = berlin.apply({files.front()});
  EXPECT_EQ(berlin.run(berlin.intake().abandon(applied.bundle)), 1U);
  EXPECT_EQ(berlin.run(berlin.intake().abandon(applied.bundle)), 0U);
  EXPECT_THROW(berlin.run(berlin.intake().abandon("../blobs")), std::runtime_error);
  EXPECT_THAT(files_in(berlin.data.path() / "bundles"), IsEmpty());
}

// Nothing is left of half a bundle.
TEST_F(Bundles, a_damaged_blob_at_the_sender) {
  push_many(8);
  const auto layer = digest_of(test::noise(40'000, 1008)).hex();
  put_text(paris.data.path() / "blobs/sha256" / layer.substr(0, 2) / layer, test::noise(40'000, 9));
  EXPECT_THROW(create({.volume_size = small_volume}), std::system_error);
  EXPECT_THAT(files_in(bag.path() / "out"), IsEmpty());
}

TEST_F(Bundles, volumes_too_small) {
  push_many(1);
  EXPECT_THROW(create({.volume_size = 1000}), std::runtime_error);
}

// Read-only mode, quotas: what came is kept, nothing is visible.
TEST_F(Bundles, a_house_that_refuses) {
  push_many(2);
  const auto files = create();
  berlin.policy.set_read_only(true);
  EXPECT_EQ(berlin.apply(files).state, State::incomplete);
  EXPECT_THAT(berlin.troubles, SizeIs(1));
  EXPECT_THAT(berlin.all_images(), IsEmpty());
  berlin.policy.set_read_only(false);
  EXPECT_EQ(berlin.apply({files}).state, State::done);
  expect_same();
}

}  // namespace
}  // namespace entrepot::transfer::bundle_test
