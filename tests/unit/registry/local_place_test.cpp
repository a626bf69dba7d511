#include "entrepot/registry/local_place.hpp"

#include <gtest/gtest.h>

#include "contract/sink_contract.hpp"
#include "entrepot/index/journal.hpp"
#include "place_house.hpp"

namespace entrepot::test::local_place_test {

class HousedPlace : public PlaceHouse {
 public:
  registry::LocalPlace& place() { return place_; }

 private:
  void TestBody() override {}
};

class LocalPlaceStand final : public PlaceStand {
 public:
  registry::Place& place() override { return house_.place(); }

 private:
  HousedPlace house_;
};

INSTANTIATE_TEST_SUITE_P(Local, SinkContract,
                         testing::Values([] { return std::make_unique<LocalPlaceStand>(); }));

namespace {

using registry::FailureKind;
using registry::Taken;

class LocalPlaceTest : public PlaceHouse {
 protected:
  registry::BlobOffer offer(const std::string& bytes) {
    return offer_from(source_, "app", source_.put_blob("app", bytes), bytes.size());
  }
  registry::Answer<registry::BlobTaken> take(std::string_view repository,
                                             registry::BlobOffer blob) {
    return run(place_.put_blob(name(repository), std::move(blob)));
  }
  Taken how(std::string_view repository, registry::BlobOffer blob) {
    const auto taken = take(repository, std::move(blob));
    EXPECT_TRUE(taken) << taken.error().message;
    return taken ? taken->how : Taken::held;
  }
  FailureKind why(const auto& answer) {
    EXPECT_FALSE(answer);
    return answer ? FailureKind::offline : answer.error().kind;
  }
  registry::ManifestOffer image(std::string_view repository, std::vector<oci::Tag> tags) {
    const auto config = noise(300, 4);
    const auto layer = noise(5000, 5);
    EXPECT_TRUE(take(repository, offer(config)));
    EXPECT_TRUE(take(repository, offer(layer)));
    const auto bytes =
        image_manifest({{digest_of(config), config.size()}, {digest_of(layer), layer.size()}});
    return {.digest = digest_of(bytes),
            .media_type = std::string(oci::media_type::oci_manifest),
            .bytes = bytes,
            .tags = std::move(tags)};
  }

  ScriptedSource source_;
  const std::string bytes_ = noise(900'000, 3);
};

// Rows: A-03
TEST_F(LocalPlaceTest, what_is_here_is_linked_on_the_sources_word_alone) {
  push_blob("secret", bytes_);
  EXPECT_EQ(how("team/app", offer(bytes_)), Taken::mounted);
  EXPECT_EQ(source_.count(ScriptedSource::stating), 1);
  EXPECT_EQ(source_.count(ScriptedSource::opening), 0);
}

TEST_F(LocalPlaceTest, a_digest_alone_is_no_right_to_bytes_that_are_here) {
  push_blob("secret", bytes_);
  // It lists what it has not.
  EXPECT_EQ(why(take("team/app", offer_from(source_, "app", digest_of(bytes_), bytes_.size()))),
            FailureKind::absent);
  EXPECT_FALSE(linked("team/app", digest_of(bytes_)));
  // Nobody answers for it: the bytes themselves are asked for.
  auto silent = offer(bytes_);
  silent.stat = {};
  EXPECT_EQ(how("team/app", silent), Taken::moved);
  EXPECT_EQ(source_.starts(), std::vector<std::uint64_t>{0});
}

TEST_F(LocalPlaceTest, a_size_that_differs_is_settled_by_the_bytes) {
  push_blob("secret", bytes_);
  auto wrong = offer(bytes_);
  wrong.size -= 1;
  EXPECT_EQ(why(take("team/app", wrong)), FailureKind::broken);
  EXPECT_FALSE(linked("team/app", digest_of(bytes_)));
}

// Rows: C-02 N-10
TEST_F(LocalPlaceTest, what_an_earlier_run_left_is_not_asked_for_again) {
  store_.leave_partial(digest_of(bytes_), bytes_.substr(0, 600'000));
  const auto taken = take("team/app", offer(bytes_));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->bytes, 300'000U);
  EXPECT_EQ(source_.starts(), std::vector<std::uint64_t>{600'000});
  EXPECT_TRUE(pulls("team/app", digest_of(bytes_)));
}

TEST_F(LocalPlaceTest, a_whole_partial_file_needs_the_sources_word) {
  store_.leave_partial(digest_of(bytes_), bytes_);
  EXPECT_EQ(why(take("team/app", offer_from(source_, "app", digest_of(bytes_), bytes_.size()))),
            FailureKind::absent);
  const auto taken = take("team/app", offer(bytes_));
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->bytes, 0U);
  EXPECT_TRUE(source_.starts().empty());
}

TEST_F(LocalPlaceTest, a_file_without_a_row_is_hashed_and_taken) {
  store_.put(digest_of(bytes_), bytes_);
  EXPECT_EQ(how("team/app", offer(bytes_)), Taken::mounted);
  EXPECT_TRUE(pulls("team/app", digest_of(bytes_)));
  EXPECT_TRUE(source_.starts().empty());
}

TEST_F(LocalPlaceTest, breaks_are_gone_over_while_bytes_come) {
  const auto digest = digest_of(bytes_);
  source_.put_blob("app", digest,
                   BlobPlan{.bytes = bytes_, .piece = 10'000, .break_at = 300'000, .breaks = 1});
  EXPECT_EQ(how("team/app", offer_from(source_, "app", digest, bytes_.size())), Taken::moved);
  EXPECT_EQ(source_.starts(), (std::vector<std::uint64_t>{0, 300'000}));
}

TEST_F(LocalPlaceTest, a_source_that_gives_nothing_more_fails_and_what_came_is_kept) {
  const auto digest = digest_of(bytes_);
  source_.put_blob("app", digest, BlobPlan{.bytes = bytes_, .break_at = 300'000, .breaks = 2});
  EXPECT_EQ(why(take("team/app", offer_from(source_, "app", digest, bytes_.size()))),
            FailureKind::broken);
  EXPECT_EQ(store_.partial(digest), 300'000U);
  EXPECT_EQ(how("team/app", offer_from(source_, "app", digest, bytes_.size())), Taken::moved);
  EXPECT_EQ(source_.starts(), (std::vector<std::uint64_t>{0, 300'000, 300'000}));
}

// Rows: C-01
TEST_F(LocalPlaceTest, a_wrong_partial_file_is_forgiven_once) {
  store_.leave_partial(digest_of(bytes_), noise(600'000, 99));
  EXPECT_EQ(how("team/app", offer(bytes_)), Taken::moved);
  EXPECT_EQ(source_.starts(), (std::vector<std::uint64_t>{600'000, 0}));
  EXPECT_TRUE(pulls("team/app", digest_of(bytes_)));
}

// Rows: D-07
TEST_F(LocalPlaceTest, a_full_disk_is_a_failure_that_leaves_nothing) {
  store_.full_after(300'000);
  EXPECT_EQ(why(take("team/app", offer(bytes_))), FailureKind::broken);
  EXPECT_EQ(store_.partials(), 0U);
  EXPECT_FALSE(leases_.leased(digest_of(bytes_)));
}

// Rows: D-07
TEST_F(LocalPlaceTest, a_disk_too_small_is_known_before_bytes_move) {
  store_.free_from_now(bytes_.size() - 1);
  EXPECT_EQ(why(take("team/app", offer(bytes_))), FailureKind::broken);
  EXPECT_TRUE(source_.starts().empty());
}

TEST_F(LocalPlaceTest, what_came_before_has_its_room_already) {
  store_.leave_partial(digest_of(bytes_), std::string_view(bytes_).substr(0, 600'000));
  store_.free_from_now(bytes_.size() - 600'001);
  EXPECT_EQ(why(take("team/app", offer(bytes_))), FailureKind::broken);
  EXPECT_EQ(store_.partial(digest_of(bytes_)), 600'000U);
  store_.free_from_now(bytes_.size() - 600'000);
  EXPECT_EQ(how("team/app", offer(bytes_)), Taken::moved);
  EXPECT_EQ(source_.starts(), (std::vector<std::uint64_t>{600'000}));
}

TEST_F(LocalPlaceTest, read_only_mode_and_quotas_are_told_before_bytes_move) {
  policy_.set_read_only(true);
  EXPECT_EQ(why(take("team/app", offer(bytes_))), FailureKind::denied);
  policy_.set_read_only(false);
  set_policy(
      {.immutable = {}, .quotas = {{.repositories = {"team/*"}, .bytes = 1000}}, .uploads = {}});
  EXPECT_EQ(why(take("team/app", offer(bytes_))), FailureKind::denied);
  EXPECT_EQ(source_.count(ScriptedSource::opening), 0);
}

// Rows: G-01
TEST_F(LocalPlaceTest, what_was_taken_is_leased_until_its_manifest_comes) {
  auto wish = image("team/app", {tag("v1")});
  const auto layer = digest_of(noise(5000, 5));
  EXPECT_TRUE(leases_.leased(layer));
  ASSERT_TRUE(run(place_.put_manifest(name("team/app"), wish)));
  EXPECT_FALSE(leases_.leased(layer, std::chrono::milliseconds(0)));
}

TEST_F(LocalPlaceTest, journal_and_events_name_the_rule) {
  ASSERT_TRUE(run(place_.put_manifest(name("team/app"), image("team/app", {tag("v1")}))));
  const auto rows = read([](const index::View& view) {
    return index::tag_changes(view, name("team/app"), tag("v1"), 0, 10);
  });
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].cause, index::Cause::replication);
  EXPECT_EQ(rows[0].who, "replication:test");
  EXPECT_EQ(events().back().actor.name, "replication:test");
}

TEST_F(LocalPlaceTest, an_immutable_tag_stays) {
  set_policy(
      {.immutable = {{.repositories = {"**"}, .tags = {"v*"}}}, .quotas = {}, .uploads = {}});
  ASSERT_TRUE(run(place_.put_manifest(name("team/app"), image("team/app", {tag("v1")}))));
  const auto standing = tagged("team/app", "v1");
  const auto other = push_image("team/app", {}, 50);
  registry::ManifestOffer move{.digest = digest_of(other),
                               .media_type = std::string(oci::media_type::oci_manifest),
                               .bytes = other,
                               .tags = {tag("v1")}};
  EXPECT_EQ(why(run(place_.put_manifest(name("team/app"), move))), FailureKind::denied);
  EXPECT_EQ(tagged("team/app", "v1"), standing);
}

TEST_F(LocalPlaceTest, only_a_sparse_index_may_lack_children) {
  const auto index = R"({"schemaVersion":2,"mediaType":")" +
                     std::string(oci::media_type::oci_index) + R"(","manifests":[)" +
                     descriptor(oci::media_type::oci_manifest, digest_of("left out"), 8) + "]}";
  registry::ManifestOffer wish{.digest = digest_of(index),
                               .media_type = std::string(oci::media_type::oci_index),
                               .bytes = index,
                               .tags = {tag("v1")}};
  EXPECT_FALSE(run(place_.put_manifest(name("team/app"), wish)));
  wish.children = registry::ManifestOffer::Children::some;
  EXPECT_TRUE(run(place_.put_manifest(name("team/app"), wish)));
}

TEST_F(LocalPlaceTest, names_of_what_is_mirrored_are_listed_and_not_written) {
  mirror_blob("docker.io/library/nginx", bytes_);
  push_image("team/app", {"v1"});
  auto mirroring = house();
  mirroring.upstreams = {"docker.io"};
  registry::LocalPlace place(mirroring, "replication:test");
  const auto page = run(place.repositories({.after = {}, .limit = 10}));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->repositories, (std::vector{name("docker.io/library/nginx"), name("team/app")}));
  const auto other = noise(100, 8);
  EXPECT_EQ(why(run(place.put_blob(name("docker.io/new"), offer(other)))), FailureKind::denied);
  EXPECT_EQ(why(run(place.remove(name("docker.io/new"), reference("v1")))), FailureKind::denied);
}

TEST_F(LocalPlaceTest, two_repositories_at_once_move_it_once) {
  const auto first = offer(bytes_);
  std::optional<registry::Answer<registry::BlobTaken>> a;
  std::optional<registry::Answer<registry::BlobTaken>> b;
  registry::LocalPlace other(house(), "replication:other");
  std::vector<async::Task<>> tasks;
  tasks.push_back(keep_result(place_.put_blob(name("team/a"), first), a));
  tasks.push_back(keep_result(other.put_blob(name("team/b"), first), b));
  run_on(context_, async::together(std::move(tasks)));
  ASSERT_TRUE(*a && *b);
  EXPECT_EQ((*a)->bytes + (*b)->bytes, bytes_.size());
  EXPECT_EQ(source_.starts().size(), 1U);
  EXPECT_TRUE(pulls("team/a", digest_of(bytes_)) && pulls("team/b", digest_of(bytes_)));
}

}  // namespace
}  // namespace entrepot::test::local_place_test
