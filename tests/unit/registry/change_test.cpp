// Writer::apply: changes of other sites under the rules of this registry.
#include <gmock/gmock.h>

#include "registry_house.hpp"

namespace entrepot::test::change_test {
namespace {

class WriterApplies : public RegistryHouse {
 protected:
  WriterApplies() { push_image("app", {"v1"}); }

  index::Change change(std::optional<oci::Digest> to, std::string_view text = "v1") {
    return {.repository = name("app"),
            .tag = tag(text),
            .to = to,
            .version = {clock_.wall() + base::Seconds(1), "far"}};
  }
  async::Task<index::Applied> apply(index::Change one) {
    co_return co_await facts_.write(
        [&](index::Batch& batch) { return writer_.apply(batch, one, actor("replication:r")); });
  }
};

TEST_F(WriterApplies, what_wins_and_tells_of_it) {
  const auto other = digest_of(push_image("app", {}, 2));
  const auto before = events().size();
  EXPECT_EQ(run(apply(change(other))), index::Applied::done);
  EXPECT_EQ(tagged("app", "v1"), other);
  EXPECT_EQ(run(apply(change(other))), index::Applied::held);
  auto gone = change(std::nullopt);
  gone.version.time += base::Seconds(1);
  EXPECT_EQ(run(apply(gone)), index::Applied::done);
  const auto told = events();
  ASSERT_EQ(told.size(), before + 3);
  EXPECT_EQ(told[before].kind, index::EventKind::push);
  EXPECT_EQ(told[before + 1].kind, index::EventKind::tag_moved);
  EXPECT_EQ(told[before + 2].kind, index::EventKind::removal);
  EXPECT_EQ(told[before].actor.name, "replication:r");
  EXPECT_EQ(told[before + 2].digest, other);
}

TEST_F(WriterApplies, nothing_to_an_immutable_tag) {
  const auto other = digest_of(push_image("app", {}, 2));
  set_policy(
      {.immutable = {{.repositories = {"**"}, .tags = {"v*"}}}, .quotas = {}, .uploads = {}});
  EXPECT_EQ(refused(apply(change(other))), Code::denied);
  EXPECT_EQ(refused(apply(change(std::nullopt))), Code::denied);
  auto manifest = change(std::nullopt);
  manifest.tag.reset();
  manifest.from = tagged("app", "v1");
  EXPECT_EQ(refused(apply(manifest)), Code::denied);
  EXPECT_EQ(refused(apply(change(*tagged("app", "v1")))), std::nullopt) << "as it is";
}

TEST_F(WriterApplies, no_removal_while_deletion_is_switched_off) {
  registry::PolicyOptions options;
  options.deletion = registry::Deletion::refused;
  set_policy(std::move(options));
  EXPECT_EQ(refused(apply(change(std::nullopt))), Code::unsupported);
  auto manifest = change(std::nullopt);
  manifest.tag.reset();
  manifest.from = tagged("app", "v1");
  EXPECT_EQ(refused(apply(manifest)), Code::unsupported);
  EXPECT_TRUE(tagged("app", "v1"));
  EXPECT_EQ(refused(apply(change(std::nullopt, "never-here"))), std::nullopt);
  const auto other = digest_of(push_image("app", {}, 2));
  EXPECT_EQ(run(apply(change(other))), index::Applied::done) << "moving a tag deletes nothing";
}

TEST_F(WriterApplies, nothing_over_a_quota_or_in_a_mirrored_repository) {
  registry::PolicyOptions options;
  options.quotas = {{.repositories = {"app"}, .tags = 1}};
  set_policy(std::move(options));
  EXPECT_EQ(refused(apply(change(*tagged("app", "v1"), "v2"))), Code::denied);
  mirror_blob("hub/app", "x");
  auto foreign = change(std::nullopt);
  foreign.repository = name("hub/app");
  EXPECT_EQ(refused(apply(foreign)), Code::unsupported);
}

}  // namespace
}  // namespace entrepot::test::change_test
