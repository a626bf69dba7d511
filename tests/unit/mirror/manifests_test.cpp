// Manifests: believed only when they are what they claim, kept byte for byte with their graph.
#include <gtest/gtest.h>

#include "mirror_house.hpp"

namespace entrepot::test::manifests_test {
namespace {

class Manifests : public MirrorHouse {
 protected:
  bool held(const oci::Digest& digest) {
    return run(site_.facts.read(
        [&](const index::View& view) { return index::manifest_info(view, digest).has_value(); }));
  }
  const std::string oci_type_{oci::media_type::oci_manifest};
};

TEST_F(Manifests, a_held_digest_is_never_asked_about) {
  const auto manifest = put_image("app", "v1");
  ASSERT_TRUE(get("app", reference(digest_of(manifest))));
  clock_.advance(hours(24 * 365));
  upstream_.fail_all(FailureKind::broken);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(get("app", reference(digest_of(manifest)))->bytes, manifest);
    EXPECT_EQ(head("app", reference(digest_of(manifest)))->provenance.outcome, Outcome::hit);
  }
  EXPECT_EQ(upstream_.questions(), 1);
}

// Rows: M-15
TEST_F(Manifests, bytes_are_kept_as_they_came) {
  const auto config = noise(10);
  auto bytes = "\n \t" + image_manifest({{digest_of(config), config.size()}}) + " \r\n\n";
  const auto digest = upstream_.put_manifest("app", "v1", oci_type_, bytes);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(get("app", reference("v1"))->bytes, bytes);
    EXPECT_EQ(get("app", reference(digest))->bytes, bytes);
  }
}

TEST_F(Manifests, the_whole_graph_is_recorded) {
  const auto image = put_image("app", "");
  const auto index = R"({"schemaVersion":2,"mediaType":")" +
                     std::string(oci::media_type::oci_index) + R"(","manifests":[)" +
                     descriptor(oci_type_, digest_of(image), image.size()) + "]}";
  const auto digest =
      upstream_.put_manifest("app", "multi", std::string(oci::media_type::oci_index), index);
  const auto complete = [&] {
    return run(site_.facts.read([&](const index::View& view) {
             return index::completeness(view, name("hub/app"), "hub", digest);
           })) == index::Completeness::complete;
  };
  ASSERT_TRUE(get("app", reference("multi")));
  EXPECT_FALSE(complete());
  ASSERT_TRUE(get("app", reference(digest_of(image))));
  EXPECT_FALSE(complete());
  ASSERT_TRUE(pull("app", digest_of(noise(300, 1))).complete);
  ASSERT_TRUE(pull("app", digest_of(noise(100'000, 1001))).complete);
  settle();
  EXPECT_TRUE(complete());
}

// Rows: C-02
TEST_F(Manifests, the_size_a_manifest_promises_helps_to_fetch_its_blobs) {
  put_image("app", "v1", 1);
  ASSERT_TRUE(get("app", reference("v1")));
  ASSERT_TRUE(pull("app", digest_of(noise(300, 1))).complete);
  const auto layer = upstream_.put_blob("old", "a layer of schema 1");
  const auto schema1 = R"({"schemaVersion":1,"name":"old","tag":"v1","architecture":"amd64",)"
                       R"("fsLayers":[{"blobSum":")" +
                       layer.text() + R"("}],"history":[{"v1Compatibility":"{}"}]})";
  upstream_.put_manifest("old", "v1", std::string(oci::media_type::docker_schema1), schema1);
  EXPECT_EQ(get("old", reference("v1"))->bytes, schema1);
  ASSERT_TRUE(pull("old", layer).complete);
  EXPECT_EQ(upstream_.expected_sizes(),
            (std::vector<std::optional<std::uint64_t>>{300, std::nullopt}));
  settle();
}

// Rows: C-12
TEST_F(Manifests, what_is_no_manifest_is_broken_and_not_kept) {
  struct Row {
    const char* what;
    std::string media_type;
    std::string bytes;
  };
  const auto image = image_manifest({{digest_of("c"), 1}});
  for (const auto& row : {
           Row{"a captive portal", "text/html", "<html>please log in</html>"},
           Row{"a portal that lies", oci_type_, "<html>please log in</html>"},
           Row{"json of another kind", "application/json", image},
           Row{"a type of its own", "application/vnd.example.thing+json", image},
           Row{"a type these bytes cannot have", std::string(oci::media_type::docker_manifest),
               R"({"schemaVersion":2,"config":)" + descriptor("application/x", digest_of("c"), 1) +
                   R"(,"layers":[]})"},
           Row{"nothing", oci_type_, ""},
           Row{"both kinds at once", oci_type_,
               R"({"schemaVersion":2,"layers":[],"manifests":[]})"},
           Row{"more than a manifest may be", oci_type_,
               image + std::string(oci::max_manifest_bytes, ' ')},
       }) {
    const auto digest = upstream_.put_manifest("app", "v1", row.media_type, row.bytes);
    EXPECT_EQ(failed(get("app", reference("v1"))), FailureKind::broken) << row.what;
    EXPECT_EQ(failed(get("app", reference(digest))), FailureKind::broken) << row.what;
    EXPECT_FALSE(held(digest)) << row.what;
  }
}

// An upstream whose manifests are not what it says they are.
class Liar : public ScriptedSource {
 public:
  async::Task<registry::Answer<registry::ManifestContent>> manifest(
      oci::RepositoryName repository, oci::Reference wanted) override {
    auto answer = co_await ScriptedSource::manifest(std::move(repository), std::move(wanted));
    if (answer) answer->bytes += " ";
    co_return answer;
  }
};

// Rows: C-13
TEST_F(Manifests, bytes_of_another_digest_are_broken_and_not_kept) {
  Liar liar;
  auto& mirror = add_mirror({.name = "liar"}, liar);
  const auto bytes = image_manifest({{digest_of("c"), 1}});
  const auto digest = liar.put_manifest("app", "v1", oci_type_, bytes);
  for (const auto& wanted : {reference("v1"), reference(digest)}) {
    EXPECT_EQ(failed(run(mirror.manifest(name("app"), wanted))), FailureKind::broken);
    EXPECT_EQ(failed(run(mirror.resolve(name("app"), wanted))), FailureKind::broken);
  }
  EXPECT_FALSE(held(digest));
  EXPECT_FALSE(held(digest_of(bytes + " ")));
  EXPECT_TRUE(counted("entrepot_upstream_digest_mismatch_total{upstream=\"liar\"}"));
}

// Rows: C-20, C-22
TEST_F(Manifests, a_manifest_held_for_another_repository_is_asked_for_here) {
  const auto manifest = put_image("app", "v1");
  ASSERT_TRUE(get("app", reference("v1")));
  EXPECT_EQ(failed(get("other", reference(digest_of(manifest)))), FailureKind::absent);
  EXPECT_EQ(upstream_.count(Verb::fetching), 2);
}

// Rows: C-20, C-22
TEST_F(Manifests, a_child_earned_beside_is_had_where_an_index_lists_it) {
  const auto image = put_image("staging", "v1");
  const auto index = R"({"schemaVersion":2,"mediaType":")" +
                     std::string(oci::media_type::oci_index) + R"(","manifests":[)" +
                     descriptor(oci_type_, digest_of(image), image.size()) + "]}";
  pull_image("staging", "v1");
  upstream_.put_manifest("prod", "multi", std::string(oci::media_type::oci_index), index);
  ScriptedSource elsewhere;
  elsewhere.put_manifest("app", "multi", std::string(oci::media_type::oci_index), index);
  auto& other = add_mirror({.name = "elsewhere"}, elsewhere);
  ASSERT_TRUE(get("prod", reference("multi")));
  ASSERT_TRUE(run(other.manifest(name("app"), reference("multi"))));
  upstream_.fail_all(FailureKind::broken);
  elsewhere.fail_all(FailureKind::broken);
  const auto config = digest_of(noise(300, 1));
  EXPECT_EQ(failed(run(hub().stat(name("prod"), config))), FailureKind::broken);
  EXPECT_EQ(head("prod", reference(digest_of(image)))->size, image.size());
  EXPECT_EQ(get("prod", reference(digest_of(image)))->bytes, image);
  EXPECT_EQ(run(hub().stat(name("prod"), config))->size, 300U) << "now it is listed here";
  EXPECT_TRUE(pull("prod", config).complete);
  clock_.advance(minutes(2));
  EXPECT_EQ(get("prod", reference("multi"))->provenance.outcome, Outcome::stale);
  for (const auto& wanted : {reference("multi"), reference(digest_of(image))}) {
    EXPECT_EQ(failed(run(other.manifest(name("app"), wanted))), FailureKind::broken);
  }
}

// The index refuses every write.
class FullIndex : public MemoryIndex {
 protected:
  async::Task<> run_write(std::function<void(index::Batch&)>) override {
    throw index::IndexFull("no room");
    co_return;
  }
};

TEST_F(Manifests, an_index_that_is_full_passes_answers_on) {
  FullIndex full;
  registry::Admission admission(full, site_.store, clock_, metrics_);
  mirror::FillTable fills({full, site_.store, admission, pool_, clock_, metrics_},
                          mirror::AbandonedFill::finish);
  const auto mirror = mirror::make_mirror(options_, upstream_, fills);
  const auto manifest = put_image("app", "v1");
  for (const auto& wanted : {reference("v1"), reference(digest_of(manifest))}) {
    const auto answer = run(mirror->manifest(name("app"), wanted));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->bytes, manifest);
    EXPECT_EQ(answer->provenance.outcome, Outcome::passed);
  }
  const auto layer = noise(100'000, 1001);
  const auto content = run(mirror->blob(name("app"), digest_of(layer)));
  ASSERT_TRUE(content);
  EXPECT_EQ(run(drain(*content->bytes)).bytes, layer);
  run(until_no_fills(fills.state()));
}

}  // namespace
}  // namespace entrepot::test::manifests_test
