// Writer::put_manifest.
#include "registry_house.hpp"

namespace entrepot::test::manifest_put_test {
namespace {

class ManifestPutting : public RegistryHouse {
 protected:
  std::optional<Code> refused_put(ManifestPut wish) {
    return refused(writer_.put_manifest(std::move(wish), actor("alice")));
  }
  std::optional<registry::ManifestContent> get(std::string_view repository,
                                               const oci::Reference& what) {
    auto found = run(local_.manifest(name(repository), what));
    return found ? std::optional(std::move(*found)) : std::nullopt;
  }
  std::string simple_image(std::string_view repository, const std::string& config = "{}") {
    const auto digest = push_blob(repository, config);
    return image_manifest({{digest, config.size()}});
  }
  void set_missing(registry::MissingContent rule) {
    registry::PolicyOptions options;
    options.missing = rule;
    set_policy(options);
  }
};

// Rows: M-01, M-15
TEST_F(ManifestPutting, gives_back_bytes_and_type_exactly_as_pushed) {
  const auto bytes = push_image("app", {"v1"});
  for (const auto& what : {reference("v1"), reference(digest_of(bytes))}) {
    const auto found = get("app", what);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->bytes, bytes);
    EXPECT_EQ(found->media_type, oci::media_type::oci_manifest);
  }
}

// Rows: M-01, M-03, M-05, M-06, M-11
TEST_F(ManifestPutting, refuses_what_is_no_manifest) {
  const auto good = simple_image("app");
  const auto with_digest = [&](const std::string& of) {
    auto wish = put_of("app", good);
    wish.digest = digest_of(of);
    return wish;
  };
  const struct {
    const char* what;
    ManifestPut wish;
    Code code;
  } cases[] = {
      {"M-01 other type than the bytes say", put_of("app", good, {}, index_type),
       Code::manifest_invalid},
      {"M-01 mediaType twice",
       put_of("app", R"({"schemaVersion":2,"mediaType":"a","mediaType":"b"})"),
       Code::manifest_invalid},
      {"M-06 no JSON", put_of("app", "[[["), Code::manifest_invalid},
      {"M-05 too large", put_of("app", std::string(oci::max_manifest_bytes + 1, ' ')),
       Code::manifest_too_large},
      {"M-03 other content than named", with_digest("other"), Code::digest_invalid},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(refused_put(one.wish), one.code) << one.what;
  }
  EXPECT_FALSE(get("app", reference(digest_of(good)))) << "nothing is stored";
}

// Rows: M-08
TEST_F(ManifestPutting, names_everything_that_is_missing) {
  const auto here = push_blob("app", "here");
  push_blob("other", "elsewhere");
  const auto bytes = image_manifest({{digest_of("config"), 6},
                                     {here, 4},
                                     {digest_of("elsewhere"), 9},
                                     {digest_of("layer"), 5},
                                     {digest_of("layer"), 5}});
  const auto refusal =
      this->refusal(writer_.put_manifest(put_of("app", bytes, {"v1"}), actor("alice")));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, Code::manifest_blob_unknown);
  EXPECT_EQ(refusal->detail, digest_of("config").text());
  EXPECT_EQ(refusal->more, (std::vector{digest_of("elsewhere").text(), digest_of("layer").text()}));
  EXPECT_FALSE(tagged("app", "v1"));
  EXPECT_TRUE(events().size() == 2) << "of the two blobs alone";
}

// Rows: M-08
TEST_F(ManifestPutting, lets_be_missing_what_the_policy_lets) {
  const auto image = image_manifest({{digest_of("config"), 6}});
  const auto index = index_of({{digest_of(image), image.size()}});
  const struct {
    registry::MissingContent rule;
    std::optional<Code> image;
    std::optional<Code> index;
  } cases[] = {
      {registry::MissingContent::refuse, Code::manifest_blob_unknown, Code::manifest_blob_unknown},
      {registry::MissingContent::allow_children, Code::manifest_blob_unknown, std::nullopt},
      {registry::MissingContent::allow, std::nullopt, std::nullopt},
  };
  for (const auto& one : cases) {
    set_missing(one.rule);
    EXPECT_EQ(refused_put(put_of("app", index, {}, index_type)), one.index);
    EXPECT_EQ(refused_put(put_of("app", image)), one.image);
  }
}

// Rows: M-08
TEST_F(ManifestPutting, a_subject_may_be_missing_and_a_foreign_layer) {
  const auto config = push_blob("app", "{}");
  const auto subject = descriptor(oci::media_type::oci_manifest, digest_of("subject"), 7);
  const auto bytes = image_manifest({{config, 2}}, R"(,"subject":)" + subject);
  const auto stored = run(writer_.put_manifest(put_of("app", bytes), actor("alice")));
  EXPECT_EQ(stored.subject, digest_of("subject"));
  const auto page = run(local_.referrers(name("app"), digest_of("subject"), "", {})).value();
  ASSERT_EQ(page.referrers.size(), 1U);
  EXPECT_EQ(page.referrers.front().descriptor.digest, digest_of(bytes));
  const auto foreign =
      R"({"schemaVersion":2,"mediaType":")" + std::string(oci::media_type::oci_manifest) +
      R"(","config":)" + descriptor("application/vnd.oci.image.config.v1+json", config, 2) +
      R"(,"layers":[{"mediaType":"application/x","digest":")" + digest_of("far").text() +
      R"(","size":3,"urls":["https://example.org/far"]}]})";
  EXPECT_EQ(refused_put(put_of("app", foreign)), std::nullopt);
}

// Rows: M-07
TEST_F(ManifestPutting, refuses_sizes_that_are_not_those_stored) {
  const auto config = push_blob("app", "{}");
  const auto wrong_blob = image_manifest({{config, 3}});
  EXPECT_EQ(refused_put(put_of("app", wrong_blob)), Code::manifest_invalid);
  const auto image = push_image("app", {});
  const auto wrong_child = index_of({{digest_of(image), image.size() + 1}});
  EXPECT_EQ(refused_put(put_of("app", wrong_child, {}, index_type)), Code::manifest_invalid);
}

// Rows: M-04
TEST_F(ManifestPutting, two_names_of_one_content_never_cross) {
  const auto bytes = simple_image("app");
  auto wish = put_of("app", bytes, {"new"});
  wish.algorithm = oci::Algorithm::sha512;
  const auto sha512 = oci::Digest::of(oci::Algorithm::sha512, base::as_bytes(bytes));
  EXPECT_EQ(put(wish), sha512);
  EXPECT_FALSE(get("app", reference(digest_of(bytes))));
  EXPECT_EQ(get("app", reference("new"))->digest, sha512);
  EXPECT_EQ(put(put_of("app", bytes, {"old"})), digest_of(bytes));
  EXPECT_EQ(tagged("app", "new"), sha512);
}

// Rows: M-12
TEST_F(ManifestPutting, sets_all_its_tags_and_journals_who_moved_them) {
  const auto first = put(put_of("app", simple_image("app", "1"), {"v1", "latest"}));
  auto again = put_of("app", simple_image("app", "2"), {"latest"});
  run(writer_.put_manifest(again, actor("bob")));
  EXPECT_EQ(tagged("app", "v1"), first);
  EXPECT_EQ(tagged("app", "latest"), digest_of(again.bytes));
  const auto changes = read([&](const index::View& view) {
    return index::tag_changes(view, name("app"), tag("latest"), 0, 10);
  });
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].who, "bob");
  EXPECT_EQ(changes[0].from, first);
  EXPECT_EQ(changes[1].who, "alice");
  EXPECT_EQ(changes[1].cause, index::Cause::push);
}

TEST_F(ManifestPutting, tells_of_each_tag_and_of_those_that_moved) {
  const auto first = put(put_of("app", simple_image("app", "1"), {"v1"}));
  put(put_of("app", simple_image("app", "2"), {"v1"}));
  std::vector<index::Event> told;
  for (auto& event : events()) {
    if (event.media_type == oci::media_type::oci_manifest) told.push_back(std::move(event));
  }
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0].kind, index::EventKind::push);
  EXPECT_EQ(told[0].tag, "v1");
  EXPECT_EQ(told[0].actor.name, "alice");
  EXPECT_EQ(told[2].kind, index::EventKind::tag_moved);
  EXPECT_EQ(told[2].from, first);
}

TEST_F(ManifestPutting, tags_stay_where_they_may_not_move) {
  registry::PolicyOptions options;
  options.immutable = {{.repositories = {"prod/**"}, .tags = {"v*"}}};
  set_policy(options);
  const auto first = simple_image("prod/app", "1");
  put(put_of("prod/app", first, {"v1", "dev"}));
  const auto second = simple_image("prod/app", "2");
  EXPECT_EQ(refused_put(put_of("prod/app", second, {"dev", "v1"})), Code::denied);
  EXPECT_EQ(tagged("prod/app", "dev"), digest_of(first)) << "all of it or nothing";
  EXPECT_EQ(refused_put(put_of("prod/app", first, {"v1"})), std::nullopt) << "the same is fine";
  EXPECT_EQ(refused_put(put_of("prod/app", second, {"dev"})), std::nullopt);
}

// Rows: A-05
TEST_F(ManifestPutting, who_may_only_create_moves_no_tag) {
  put(put_of("app", simple_image("app", "1"), {"v1"}));
  auto wish = put_of("app", simple_image("app", "2"), {"v1"});
  wish.tag_move = registry::TagMove::refused;
  EXPECT_EQ(refused_put(wish), Code::denied);
  wish.tags = {tag("v2")};
  EXPECT_EQ(refused_put(wish), std::nullopt);
}

// Rows: C-16
TEST_F(ManifestPutting, nobody_writes_to_a_mirrored_repository) {
  const auto config = mirror_blob("hub/library/app", "{}");
  const auto bytes = image_manifest({{config, 2}});
  EXPECT_EQ(refused_put(put_of("hub/library/app", bytes)), Code::unsupported);
  EXPECT_EQ(refused(writer_.mount(name("hub/library/app"), config, {}, actor("alice"))),
            Code::unsupported);
}

// Rows: C-17
TEST_F(ManifestPutting, mounts_what_is_missing_from_its_mirrored_counterpart) {
  const auto config = mirror_blob("hub/library/app", "config");
  const auto layer = push_blob("app", "layer");
  const auto bytes = image_manifest({{config, 6}, {layer, 5}});
  auto wish = put_of("app", bytes, {"v1"});
  EXPECT_EQ(refused_put(wish), Code::manifest_blob_unknown);
  wish.counterpart = name("hub/library/app");
  EXPECT_EQ(refused_put(wish), std::nullopt);
  EXPECT_TRUE(pulls("app", config));
}

// Rows: C-17
TEST_F(ManifestPutting, a_child_mounted_from_the_counterpart_brings_its_content) {
  const auto config = mirror_blob("hub/library/app", "config");
  const auto child = image_manifest({{config, 6}});
  const auto parsed = oci::parse_manifest(child, oci::media_type::oci_manifest).value();
  run(facts_.write([&](index::Batch& batch) {
    index::put_manifest(batch, name("hub/library/app"), index::RepositoryKind::mirrored,
                        digest_of(child), child, parsed, clock_.wall());
  }));
  auto wish = put_of("app", index_of({{digest_of(child), child.size()}}), {"v1"}, index_type);
  wish.counterpart = name("hub/library/app");
  EXPECT_EQ(refused_put(wish), std::nullopt);
  EXPECT_TRUE(pulls("app", config));
  EXPECT_TRUE(get("app", reference(digest_of(child))));
}

// Rows: M-10
TEST_F(ManifestPutting, a_graph_that_doubles_forty_times_is_walked_once) {
  auto bytes = simple_image("app");
  auto type = std::string(oci::media_type::oci_manifest);
  for (int level = 0; level < 40; ++level) {
    put(put_of("app", bytes, {}, type));
    const Layer child{digest_of(bytes), bytes.size()};
    bytes = R"({"schemaVersion":2,"mediaType":")" + std::string(index_type) + R"(","manifests":[)" +
            descriptor(type, child.digest, child.size) + "," +
            descriptor(type, child.digest, child.size) + "]}";
    type = index_type;
  }
  EXPECT_EQ(refused_put(put_of("app", bytes, {"top"}, index_type)), std::nullopt);
}

TEST_F(ManifestPutting, a_quota_counts_bytes_and_tags_of_all_that_match) {
  const auto first = simple_image("team/a", "12");
  put(put_of("team/a", first, {"v1"}));
  registry::PolicyOptions options;
  options.quotas = {{.repositories = {"team/**"}, .bytes = 3 * first.size(), .tags = 2}};
  set_policy(options);
  const auto second = simple_image("team/b", "34");
  EXPECT_EQ(refused_put(put_of("team/b", second, {"v1", "v2"})), Code::denied) << "three tags";
  EXPECT_EQ(refused_put(put_of("team/b", second, {"v1", "v1"})), std::nullopt);
  EXPECT_EQ(refused_put(put_of("team/b", second, {"v1"})), std::nullopt) << "nothing new";
  const auto third = simple_image("team/c", "56");
  EXPECT_EQ(refused_put(put_of("team/c", third)), Code::denied) << "too many bytes";
  EXPECT_EQ(refused_put(put_of("elsewhere", simple_image("elsewhere"))), std::nullopt);
}

TEST_F(ManifestPutting, nothing_changes_while_the_registry_is_read_only) {
  const auto bytes = push_image("app", {"v1"});
  policy_.set_read_only(true);
  EXPECT_EQ(refused_put(put_of("app", bytes, {"v2"})), Code::denied);
  EXPECT_EQ(refused(writer_.delete_tag(name("app"), tag("v1"), actor("alice"))), Code::denied);
  policy_.set_read_only(false);
  EXPECT_EQ(refused_put(put_of("app", bytes, {"v2"})), std::nullopt);
}

// Rows: P-12
TEST_F(ManifestPutting, what_was_refused_is_not_leased) {
  const auto missing = image_manifest({{digest_of("absent"), 6}});
  EXPECT_EQ(refused_put(put_of("app", missing)), Code::manifest_blob_unknown);
  EXPECT_FALSE(leases_.leased(digest_of(missing)));
  EXPECT_EQ(leases_.size(), 0U);
}

// Rows: G-02
TEST_F(ManifestPutting, what_was_put_is_leased) {
  const auto bytes = push_image("app", {});
  EXPECT_TRUE(leases_.leased(digest_of(bytes)));
}

}  // namespace
}  // namespace entrepot::test::manifest_put_test
