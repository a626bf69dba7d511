// The bytes are shared, the right to them is not.
#include <gtest/gtest.h>

#include "mirror_house.hpp"

namespace entrepot::test::permission_test {
namespace {

class Permission : public MirrorHouse {
 protected:
  Permission() { upstream_.put_blob("owner", bytes_); }

  // The owner's client has pulled it, so it is stored here.
  void pull_by_owner() {
    ASSERT_TRUE(pull("owner", digest_).complete);
    settle();
    ASSERT_TRUE(stored(digest_));
  }
  // A manifest in `repository` at the upstream that lists the blob, pulled here.
  void list_in(const std::string& repository) {
    const auto manifest = image_manifest({{digest_, bytes_.size()}});
    upstream_.put_manifest(repository, "v1", std::string(oci::media_type::oci_manifest), manifest);
    ASSERT_TRUE(get(repository, reference("v1")));
  }
  bool linked(const std::string& canonical) {
    return run(site_.facts.read(
        [&](const index::View& view) { return index::linked(view, name(canonical), digest_); }));
  }

  const std::string bytes_ = noise(300'000);
  const oci::Digest digest_ = digest_of(bytes_);
};

// Rows: C-20, C-22
TEST_F(Permission, a_stored_blob_is_absent_where_it_was_not_earned) {
  pull_by_owner();
  EXPECT_EQ(failed(open("other", digest_)), FailureKind::absent);
  EXPECT_EQ(failed(run(hub().stat(name("other"), digest_))), FailureKind::absent);
  EXPECT_EQ(upstream_.count(Verb::opening), 1);
  EXPECT_FALSE(linked("hub/other"));
}

// Rows: C-22
TEST_F(Permission, a_head_at_this_repositorys_upstream_earns_it) {
  pull_by_owner();
  upstream_.put_blob("other", bytes_);
  EXPECT_EQ(pull("other", digest_).bytes, bytes_);
  EXPECT_EQ(upstream_.count(Verb::opening), 1) << "the bytes are not fetched twice";
  EXPECT_EQ(upstream_.count(Verb::stating), 1);
  EXPECT_TRUE(linked("hub/other"));
  EXPECT_EQ(pull("other", digest_).bytes, bytes_);
  EXPECT_EQ(upstream_.count(Verb::stating), 1) << "earned once";
}

// Rows: C-22
TEST_F(Permission, a_manifest_of_this_repository_that_lists_it_earns_it) {
  pull_by_owner();
  list_in("other");
  EXPECT_EQ(pull("other", digest_).bytes, bytes_);
  EXPECT_EQ(upstream_.count(Verb::stating), 0);
  EXPECT_TRUE(linked("hub/other"));
}

// Rows: C-22
TEST_F(Permission, listing_does_not_earn_what_another_upstream_holds) {
  pull_by_owner();
  ScriptedSource elsewhere;
  auto& mirror = add_mirror({.name = "elsewhere"}, elsewhere);
  const auto manifest = image_manifest({{digest_, bytes_.size()}});
  elsewhere.put_manifest("thief", "v1", std::string(oci::media_type::oci_manifest), manifest);
  ASSERT_TRUE(run(mirror.manifest(name("thief"), reference("v1"))));
  EXPECT_EQ(failed(run(mirror.blob(name("thief"), digest_))), FailureKind::absent);
  EXPECT_EQ(elsewhere.count(Verb::stating), 1);
}

// Rows: C-20, C-21
TEST_F(Permission, refusals_of_upstream_stand) {
  pull_by_owner();
  list_in("listing");
  for (const auto kind : {FailureKind::denied, FailureKind::broken, FailureKind::throttled}) {
    upstream_.fail(Verb::stating, kind);
    EXPECT_EQ(failed(open("other", digest_)), kind);
  }
  EXPECT_FALSE(linked("hub/other"));
}

// Rows: C-20, C-22
TEST_F(Permission, a_running_fill_is_joined_only_after_the_same_check) {
  const auto valve = std::make_shared<Valve>();
  upstream_.put_blob("owner", digest_, BlobPlan{.bytes = bytes_, .valve = valve});
  valve->open_to(100'000);
  auto owner = open("owner", digest_);
  ASSERT_TRUE(owner);
  EXPECT_EQ(failed(open("stranger", digest_)), FailureKind::absent);
  upstream_.put_blob("friend", bytes_);
  auto friends = open("friend", digest_);
  ASSERT_TRUE(friends);
  EXPECT_EQ(friends->provenance.outcome, Outcome::collapsed);
  valve->open();
  EXPECT_EQ(run(drain(*friends->bytes)).bytes, bytes_);
  settle();
  EXPECT_EQ(upstream_.count(Verb::opening), 1);
  EXPECT_TRUE(linked("hub/owner"));
  EXPECT_TRUE(linked("hub/friend"));
  EXPECT_FALSE(linked("hub/stranger"));
}

// Rows: C-23
TEST_F(Permission, what_the_starter_of_a_fill_is_told_is_not_told_to_others) {
  const auto valve = std::make_shared<Valve>();
  const auto bytes = noise(1000, 5);
  upstream_.put_blob("rightful", bytes);
  list_in("rightful");
  upstream_.hold(valve);
  auto& mirror = hub();
  RunningRuntime runtime(2);
  auto first = runtime.start(0, mirror.blob(name("denied"), digest_of(bytes)));
  while (upstream_.count(Verb::opening) == 0) std::this_thread::yield();
  auto second = runtime.start(1, mirror.blob(name("rightful"), digest_of(bytes)));
  while (upstream_.count(Verb::stating) == 0) std::this_thread::yield();
  valve->open();
  EXPECT_EQ(failed(first.get()), FailureKind::absent);
  EXPECT_TRUE(second.get());
  runtime.start(0, until_no_fills(fills_.state())).get();
  runtime.stop();
}

// Rows: C-20
TEST_F(Permission, offline_nothing_new_can_be_earned) {
  pull_by_owner();
  list_in("listing");
  options_.asking = mirror::Asking::never;
  auto& mirror = add_mirror(options_, upstream_);
  EXPECT_EQ(failed(run(mirror.blob(name("other"), digest_))), FailureKind::offline);
  EXPECT_TRUE(run(mirror.blob(name("listing"), digest_)))
      << "but what was listed before may be had";
}

}  // namespace
}  // namespace entrepot::test::permission_test
