// Writer: mounts and deletions.
#include "entrepot/registry/writer.hpp"

#include "registry_house.hpp"

namespace entrepot::test::writer_test {
namespace {

using registry::Mounted;

class Writer : public RegistryHouse {
 protected:
  Mounted mount(std::string_view to, const oci::Digest& digest,
                std::vector<oci::RepositoryName> from) {
    return run(writer_.mount(name(to), digest, std::move(from), actor("alice")));
  }
  bool delete_tag(std::string_view repository, std::string_view text) {
    return run(writer_.delete_tag(name(repository), tag(text), actor("alice")));
  }
  bool delete_manifest(std::string_view repository, const oci::Digest& digest) {
    return run(writer_.delete_manifest(name(repository), digest, actor("alice")));
  }
  bool delete_repository(std::string_view repository) {
    return run(writer_.delete_repository(name(repository), actor("alice")));
  }
  registry::PolicyOptions immutable_versions() {
    registry::PolicyOptions options;
    options.immutable = {{.repositories = {"**"}, .tags = {"v*"}}};
    return options;
  }
};

// Rows: A-03, G-02
TEST_F(Writer, mounts_only_from_where_it_is_linked) {
  const auto digest = push_blob("source", "content");
  EXPECT_EQ(mount("app", digest, {}), Mounted::no);
  EXPECT_EQ(mount("app", digest, {name("empty")}), Mounted::no);
  EXPECT_FALSE(linked("app", digest));
  EXPECT_EQ(mount("app", digest_of("absent"), {name("source")}), Mounted::no);
  EXPECT_EQ(mount("app", digest, {name("empty"), name("source")}), Mounted::yes);
  EXPECT_TRUE(pulls("app", digest));
  EXPECT_TRUE(leases_.leased(digest));
  EXPECT_EQ(events().back().kind, index::EventKind::mount);
  EXPECT_EQ(events().back().from_repository, "source");
  EXPECT_EQ(mount("app", digest, {name("source")}), Mounted::yes) << "again";
}

TEST_F(Writer, mounts_from_a_mirrored_repository_too) {
  const auto digest = mirror_blob("hub/library/app", "content");
  EXPECT_EQ(mount("app", digest, {name("hub/library/app")}), Mounted::yes);
  EXPECT_TRUE(pulls("app", digest));
}

TEST_F(Writer, names_who_holds_a_digest) {
  const auto digest = push_blob("a", "content");
  push_blob("b", "content");
  EXPECT_EQ(run(writer_.holders(digest, 10)), (std::vector{name("a"), name("b")}));
  EXPECT_EQ(run(writer_.holders(digest, 1)).size(), 1U);
}

TEST_F(Writer, a_quota_stops_a_mount) {
  const auto digest = push_blob("source", "content");
  registry::PolicyOptions options;
  options.quotas = {{.repositories = {"app"}, .bytes = 6}};
  set_policy(options);
  EXPECT_EQ(refused(writer_.mount(name("app"), digest, {name("source")}, actor("alice"))),
            Code::denied);
  EXPECT_FALSE(linked("app", digest));
}

// Rows: M-09
TEST_F(Writer, a_tag_deleted_leaves_the_other_999) {
  std::vector<std::string> tags;
  for (int i = 0; i < 1000; ++i) tags.push_back("t" + std::to_string(i));
  const auto bytes = push_image("app", tags);
  EXPECT_TRUE(delete_tag("app", "t500"));
  EXPECT_FALSE(delete_tag("app", "t500"));
  EXPECT_FALSE(tagged("app", "t500"));
  for (int i = 0; i < 1000; ++i) {
    if (i == 500) continue;
    ASSERT_EQ(tagged("app", tags[static_cast<std::size_t>(i)]), digest_of(bytes));
  }
  EXPECT_TRUE(run(local_.manifest(name("app"), reference("t499"))));
}

TEST_F(Writer, a_manifest_goes_with_every_tag_that_points_to_it) {
  std::vector<std::string> tags;
  for (int i = 0; i < 1500; ++i) tags.push_back("t" + std::to_string(i));
  const auto bytes = push_image("app", tags);
  push_image("app", {"other"}, 2);
  EXPECT_FALSE(delete_manifest("app", digest_of("absent")));
  EXPECT_FALSE(delete_manifest("app", digest_of(noise(300)))) << "a blob is no manifest";
  EXPECT_TRUE(delete_manifest("app", digest_of(bytes)));
  EXPECT_FALSE(delete_manifest("app", digest_of(bytes)));
  EXPECT_EQ(run(local_.tags(name("app"), {})).value().tags, std::vector{tag("other")});
  EXPECT_FALSE(run(local_.manifest(name("app"), reference(digest_of(bytes)))));
}

// Rows: G-14
TEST_F(Writer, a_manifest_deleted_and_pushed_again_pulls) {
  const auto bytes = push_image("app", {"v1"});
  EXPECT_TRUE(delete_manifest("app", digest_of(bytes)));
  put(put_of("app", bytes, {"v1"}));
  const auto found = run(local_.manifest(name("app"), reference("v1")));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->bytes, bytes);
}

TEST_F(Writer, a_blob_goes_from_this_repository_alone) {
  const auto digest = push_blob("app", "content");
  push_blob("other", "content");
  EXPECT_TRUE(run(writer_.delete_blob(name("app"), digest, actor("alice"))));
  EXPECT_FALSE(run(writer_.delete_blob(name("app"), digest, actor("alice"))));
  EXPECT_FALSE(pulls("app", digest));
  EXPECT_TRUE(pulls("other", digest));
  EXPECT_EQ(events().back().kind, index::EventKind::removal);
}

// Rows: A-06
TEST_F(Writer, every_deletion_is_refused_where_deletion_is_off) {
  const auto bytes = push_image("app", {"v1"});
  registry::PolicyOptions options;
  options.deletion = registry::Deletion::refused;
  set_policy(options);
  const auto app = name("app");
  EXPECT_EQ(refused(writer_.delete_tag(app, tag("v1"), actor("a"))), Code::unsupported);
  EXPECT_EQ(refused(writer_.delete_manifest(app, digest_of(bytes), actor("a"))), Code::unsupported);
  EXPECT_EQ(refused(writer_.delete_blob(app, digest_of(noise(300)), actor("a"))),
            Code::unsupported);
  EXPECT_EQ(refused(writer_.delete_repository(app, actor("a"))), Code::unsupported);
  EXPECT_EQ(tagged("app", "v1"), digest_of(bytes));
}

// Rows: A-07
TEST_F(Writer, an_immutable_tag_cannot_be_taken_away_by_any_way) {
  const auto bytes = push_image("app", {"dev", "v1"});
  set_policy(immutable_versions());
  const auto app = name("app");
  EXPECT_EQ(refused(writer_.delete_tag(app, tag("v1"), actor("a"))), Code::denied);
  EXPECT_EQ(refused(writer_.delete_manifest(app, digest_of(bytes), actor("a"))), Code::denied);
  EXPECT_EQ(refused(writer_.delete_repository(app, actor("a"))), Code::denied);
  EXPECT_EQ(tagged("app", "v1"), digest_of(bytes));
  EXPECT_EQ(tagged("app", "dev"), digest_of(bytes)) << "all of it or nothing";
  EXPECT_TRUE(delete_tag("app", "dev"));
}

// Rows: A-07
TEST_F(Writer, an_immutable_tag_keeps_all_it_leads_to) {
  const auto image = push_image("app", {});
  const auto inner = index_of({{digest_of(image), image.size()}});
  put(put_of("app", inner, {}, index_type));
  const auto outer = index_of({{digest_of(inner), inner.size()}});
  put(put_of("app", outer, {"v1"}, index_type));
  const auto loose = push_image("app", {"dev"}, 2);
  set_policy(immutable_versions());
  const auto app = name("app");
  for (const auto& kept : {image, inner, outer}) {
    EXPECT_EQ(refused(writer_.delete_manifest(app, digest_of(kept), actor("a"))), Code::denied);
  }
  for (const auto& kept : {noise(300, 1), noise(5000, 1001)}) {
    EXPECT_EQ(refused(writer_.delete_blob(app, digest_of(kept), actor("a"))), Code::denied);
    EXPECT_TRUE(pulls("app", digest_of(kept)));
  }
  EXPECT_TRUE(delete_manifest("app", digest_of(loose)));
  EXPECT_TRUE(run(writer_.delete_blob(app, digest_of(noise(300, 2)), actor("a"))));
}

// Rows: G-15
TEST_F(Writer, a_repository_goes_in_batches) {
  std::vector<std::string> tags;
  for (int i = 0; i < 2500; ++i) tags.push_back("t" + std::to_string(i));
  push_image("app", tags);
  for (unsigned i = 2; i < 5; ++i) push_image("app", {}, i);
  const auto kept = push_image("app2", {"v1"});
  EXPECT_TRUE(delete_repository("app"));
  EXPECT_FALSE(delete_repository("app"));
  EXPECT_FALSE(run(local_.tags(name("app"), {})));
  EXPECT_FALSE(linked("app", digest_of(noise(300))));
  EXPECT_EQ(tagged("app2", "v1"), digest_of(kept)) << "a neighbour by name";
  EXPECT_TRUE(pulls("app2", digest_of(noise(300))));
}

async::Task<> push_meanwhile(registry::Writer& writer, ManifestPut put, int& stored, int& refused) {
  for (int turn = 0; turn < 5; ++turn) {
    try {
      co_await writer.put_manifest(put, actor("bob"));
      ++stored;
    } catch (const oci::Refusal& refusal) {
      EXPECT_EQ(refusal.code, Code::manifest_blob_unknown);
      ++refused;
    }
    co_await async::sleep_for(std::chrono::milliseconds(0));
  }
}

// Rows: G-15
TEST_F(Writer, a_push_while_a_repository_goes_is_whole_or_gone) {
  std::vector<std::string> tags;
  for (int i = 0; i < 3000; ++i) tags.push_back("t" + std::to_string(i));
  const auto bytes = push_image("app", tags);
  int stored = 0;
  int refused = 0;
  async::spawn(context_.get_executor(),
               push_meanwhile(writer_, put_of("app", bytes, {"late"}), stored, refused), "push");
  EXPECT_TRUE(delete_repository("app"));
  context_.restart();
  context_.run();
  EXPECT_EQ(stored + refused, 5);
  const bool late = tagged("app", "late").has_value();
  EXPECT_EQ(late, run(local_.manifest(name("app"), reference("late"))).has_value());
  EXPECT_EQ(late, linked("app", digest_of(noise(300))));
}

// Rows: M-14
TEST_F(Writer, a_tag_goes_back_to_where_it_was) {
  const auto first = push_image("app", {"latest"}, 1);
  const auto second = push_image("app", {"latest"}, 2);
  const auto never = push_image("app", {"other"}, 3);
  const auto app = name("app");
  const auto back = [&](const oci::Digest& digest) {
    return refused(writer_.rollback(app, tag("latest"), digest, actor("bob")));
  };
  EXPECT_EQ(back(digest_of(never)), Code::manifest_unknown);
  EXPECT_EQ(back(digest_of(first)), std::nullopt);
  EXPECT_EQ(tagged("app", "latest"), digest_of(first));
  EXPECT_EQ(events().back().kind, index::EventKind::tag_moved);
  EXPECT_EQ(events().back().from, digest_of(second));
  EXPECT_TRUE(delete_manifest("app", digest_of(second)));
  EXPECT_EQ(back(digest_of(second)), Code::manifest_unknown) << "not here any more";
  set_policy({.immutable = {{.repositories = {"**"}, .tags = {"*"}}}, .quotas = {}, .uploads = {}});
  EXPECT_EQ(back(digest_of(first)), std::nullopt) << "it is there";
}

}  // namespace
}  // namespace entrepot::test::writer_test
