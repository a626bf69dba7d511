// Bundles of less than all of an image: a rule's platforms, its word on referrers, and what a
// source left out itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "entrepot/index/collection.hpp"
#include "entrepot/oci/refusal.hpp"
#include "support/memory_place.hpp"
#include "unit/transfer/carrier_house.hpp"

namespace entrepot::transfer::sparse_bundle_test {
namespace {

using State = ApplyReport::State;
using testing::ElementsAre;
using testing::HasSubstr;

std::string child(const std::string& image, std::string_view architecture) {
  auto one = test::descriptor(oci::media_type::oci_manifest, digest_of(image), image.size());
  one.pop_back();
  return one + R"(,"platform":{"os":"linux","architecture":")" + std::string(architecture) +
         R"("}})";
}

class SparseBundles : public testing::Test {
 protected:
  SparseBundles() {
    berlin.trust(paris);
    paris.trust(berlin);
    index = add_index("app", {child(amd, "amd64"), child(arm, "arm64")});
  }
  std::string add_index(const std::string& repository, const std::vector<std::string>& children) {
    std::string list;
    for (const auto& one : children) list += (list.empty() ? "" : ",") + one;
    auto bytes = R"({"schemaVersion":2,"mediaType":")" + std::string(oci::media_type::oci_index) +
                 R"(","manifests":[)" + list + "]}";
    hub.add_manifest(repository, bytes, {"v1"}, oci::media_type::oci_index);
    return bytes;
  }
  BundleImage image_of(const std::string& manifest) {
    return {.source = &hub,
            .from = name("app"),
            .repository = name("app"),
            .tag = tag("v1"),
            .digest = digest_of(manifest)};
  }
  std::vector<fs::path> create(BundleOptions options) {
    options.directory = bag.path() / std::to_string(++bundles);
    if (options.images.empty()) options.images = {image_of(index)};
    BundleListener listener;
    listener.trouble = [this](const std::string& what, const std::string& sentence) {
      told.push_back(what + " " + sentence);
    };
    report = paris.run(create_bundle(options, paris.site(), paris.pool, paris.clock, listener));
    return files_in(options.directory);
  }
  std::vector<BundleImage> asked() {
    std::vector<BundleImage> images;
    for (const auto& one : read_ask(bag.path() / "ask")) {
      images.push_back({.source = &hub,
                        .from = name(one.from),
                        .repository = one.repository,
                        .tag = one.tag,
                        .digest = one.digest,
                        .version = one.version,
                        .sparse = one.sparse});
    }
    return images;
  }
  // As if nobody had ever had it.
  void lose(std::string_view repository, std::string_view of_tag, const std::string& manifest) {
    berlin.run(berlin.writer.delete_tag(name(repository), tag(of_tag), {.name = "alice"}));
    berlin.run(berlin.facts->write([&](index::Batch& batch) {
      index::unlink(batch, name(repository), digest_of(manifest));
      EXPECT_TRUE(index::erase_unlinked(batch, digest_of(manifest)));
    }));
  }
  bool has(const std::string& manifest) { return berlin.pulls("app", digest_of(manifest).text()); }

  test::TempDir bag;
  test::MemoryPlace hub;
  CarrierHouse paris{"paris"};
  CarrierHouse berlin{"berlin"};
  const std::string amd = hub.add_image("app", 1);
  const std::string arm = hub.add_image("app", 2);
  std::string index;
  BundleReport report;
  std::vector<std::string> told;
  int bundles = 0;
};

TEST_F(SparseBundles, only_the_platforms_wanted_come_along) {
  const auto files = create({.platforms = {"linux/amd64"}});
  EXPECT_EQ(report.manifests, 2U);
  EXPECT_EQ(report.blobs, 2U);
  EXPECT_EQ(berlin.apply(files).state, State::done);
  EXPECT_EQ(berlin.tagged("app", "v1"), digest_of(index));
  EXPECT_TRUE(has(amd));
  EXPECT_FALSE(has(arm));
  EXPECT_EQ(berlin.apply(files).state, State::held);
  // Another time all of it.
  berlin.want(bag.path() / "want");
  EXPECT_EQ(berlin.apply(create({.want = bag.path() / "want"})).state, State::done);
  EXPECT_EQ(report.manifests, 1U);
  EXPECT_TRUE(berlin.pulls("app", "v1"));
}

// It is here, but the sender does not say that it is of this repository.
TEST_F(SparseBundles, what_is_left_out_is_not_taken_from_elsewhere) {
  ASSERT_EQ(berlin.push_image("secret", {"x"}, 2, 5000), arm);
  EXPECT_EQ(berlin.apply(create({.platforms = {"linux/amd64"}})).state, State::done);
  EXPECT_FALSE(has(arm));
}

// The receiver said it had it: without it the image is half of one.
TEST_F(SparseBundles, a_wanted_child_that_is_missing_is_asked_for) {
  ASSERT_EQ(berlin.push_image("other", {"x"}, 1, 5000), amd);
  berlin.want(bag.path() / "want");
  const auto files = create({.platforms = {"linux/amd64"}, .want = bag.path() / "want"});
  EXPECT_EQ(report.manifests, 1U);
  lose("other", "x", amd);
  const auto applied = berlin.apply(files, bag.path() / "ask");
  EXPECT_EQ(applied.state, State::incomplete);
  EXPECT_EQ(applied.missing, 1U);
  EXPECT_FALSE(berlin.tagged("app", "v1"));
  const auto again = create({.images = asked(), .again = bag.path() / "ask"});
  EXPECT_EQ(report.manifests, 1U) << "the other platform was not asked for";
  EXPECT_EQ(report.blobs, 0U);
  EXPECT_EQ(berlin.apply(again).state, State::done);
  EXPECT_TRUE(has(amd));
  EXPECT_FALSE(has(arm));
}

TEST_F(SparseBundles, what_the_source_left_out_is_left_out) {
  hub.drop_manifest("app", digest_of(arm));
  EXPECT_EQ(berlin.apply(create({})).state, State::done);
  EXPECT_TRUE(has(amd));
  EXPECT_EQ(berlin.tagged("app", "v1"), digest_of(index));
  // But not what was asked for by its platform.
  EXPECT_THROW(create({.platforms = {"linux/arm64"}}), oci::Refusal);
}

TEST_F(SparseBundles, an_image_without_the_platforms_is_left_out_and_told) {
  const auto other = add_index("app", {child(arm, "arm64")});
  const auto files =
      create({.images = {image_of(other), image_of(index)}, .platforms = {"linux/amd64"}});
  EXPECT_EQ(report.images, 1U);
  EXPECT_EQ(report.manifests, 2U);
  EXPECT_THAT(told, ElementsAre(HasSubstr("app:v1@" + digest_of(other).text())));
  EXPECT_EQ(berlin.apply(files).state, State::done);
  EXPECT_FALSE(has(other));
}

TEST_F(SparseBundles, referrers_come_along_unless_told_otherwise) {
  const auto subject = test::descriptor(oci::media_type::oci_manifest, digest_of(amd), amd.size());
  const auto signature = hub.add_image("app", 3, {}, R"(,"subject":)" + subject);
  create({.referrers = false});
  EXPECT_EQ(report.manifests, 3U);
  create({});
  EXPECT_EQ(report.manifests, 4U);
  EXPECT_EQ(report.images, 2U);
}

// A bundle without its signatures, because a question timed out, would say nothing of it.
TEST_F(SparseBundles, a_source_that_stumbles_over_referrers_is_no_source_without_any) {
  auto kind = registry::FailureKind::timeout;
  hub.judge = [&](const std::string& step) -> std::optional<registry::Failure> {
    if (!step.starts_with("referrers ")) return std::nullopt;
    return registry::Failure{.kind = kind, .message = "as the test wants"};
  };
  EXPECT_THROW(create({}), oci::Refusal);
  kind = registry::FailureKind::absent;
  create({});
  EXPECT_EQ(report.manifests, 3U);
}

}  // namespace
}  // namespace entrepot::transfer::sparse_bundle_test
