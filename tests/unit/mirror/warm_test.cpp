// Warming by the registry's walk, as a mirror takes it.
#include "entrepot/registry/warm.hpp"

#include "mirror_house.hpp"

namespace entrepot::test::warm_test {
namespace {

class Warming : public MirrorHouse {
 protected:
  registry::Answer<registry::Warmed> warm(std::string_view of) {
    std::uint64_t moved = 0;
    registry::WarmOrder order{.name = name("library/app"), .reference = reference(of)};
    order.moved = [&](std::uint64_t bytes) { moved += bytes; };
    auto answer = run(registry::warm(hub(), order));
    settle();
    if (answer) EXPECT_EQ(moved, answer->tally.blobs_moved == 0 ? 0U : 100'300U);
    return answer;
  }
};

TEST_F(Warming, the_mirror_holds_the_image_then) {
  const auto manifest = put_image("library/app", "v1");
  const auto warmed = warm("v1");
  ASSERT_TRUE(warmed) << warmed.error().message;
  EXPECT_EQ(warmed->digest, digest_of(manifest));
  EXPECT_EQ(warmed->tally.blobs_moved, 2U);
  upstream_.fail_all(FailureKind::timeout);
  EXPECT_EQ(get("library/app", reference("v1")).value().bytes, manifest);
  EXPECT_TRUE(pull("library/app", digest_of(noise(100'000, 1001))).complete);
  EXPECT_TRUE(stored(digest_of(noise(300, 1))));
}

TEST_F(Warming, what_is_held_is_not_read_again) {
  put_image("library/app", "v1");
  ASSERT_TRUE(warm("v1"));
  const auto asked = upstream_.count(Verb::opening);
  const auto again = warm("v1");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->tally.blobs_held, 2U);
  EXPECT_EQ(upstream_.count(Verb::opening), asked);
}

TEST_F(Warming, a_blob_that_breaks_off_is_a_failure_that_says_which) {
  put_image("library/app", "v1");
  const auto layer = noise(100'000, 1001);
  upstream_.put_blob("library/app", digest_of(layer),
                     BlobPlan{.bytes = layer, .break_at = 50'000, .breaks = 100});
  const auto warmed = warm("v1");
  ASSERT_FALSE(warmed);
  EXPECT_NE(warmed.error().message.find(digest_of(layer).text()), std::string::npos);
}

TEST_F(Warming, a_full_disk_cannot_be_warmed) {
  put_image("library/app", "v1");
  site_.store.refuse_begin(true);
  const auto warmed = warm("v1");
  ASSERT_FALSE(warmed);
  EXPECT_EQ(warmed.error().kind, FailureKind::broken);
}

TEST_F(Warming, what_upstream_has_not_is_absent) {
  EXPECT_EQ(failed(warm("none")), FailureKind::absent);
}

}  // namespace
}  // namespace entrepot::test::warm_test
