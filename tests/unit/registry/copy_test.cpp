#include "entrepot/registry/copy.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/memory_place.hpp"
#include "support/run_task.hpp"

namespace entrepot::test::copy_test {
namespace {

using registry::CopyTally;
using registry::FailureKind;

struct Child {
  std::string bytes;
  std::string platform{};  // os/architecture[/variant]
  std::string describes{};
};

std::string index_of(const std::vector<Child>& children, const std::string& extra = {}) {
  std::string list;
  for (const auto& child : children) {
    auto one =
        descriptor(oci::media_type::oci_manifest, digest_of(child.bytes), child.bytes.size());
    one.pop_back();
    if (!child.platform.empty()) {
      const auto slash = child.platform.find('/');
      const auto second = child.platform.find('/', slash + 1);
      one += R"(,"platform":{"os":")" + child.platform.substr(0, slash) + R"(","architecture":")" +
             child.platform.substr(slash + 1, second - slash - 1) + '"';
      if (second != std::string::npos) {
        one += R"(,"variant":")" + child.platform.substr(second + 1) + '"';
      }
      one += "}";
    }
    if (!child.describes.empty()) {
      one += R"(,"annotations":{"vnd.docker.reference.digest":")" + child.describes +
             R"(","vnd.docker.reference.type":"attestation-manifest"})";
    }
    list += (list.empty() ? "" : ",") + one + "}";
  }
  return R"({"schemaVersion":2,"mediaType":")" + std::string(oci::media_type::oci_index) +
         R"(","manifests":[)" + list + "]" + extra + "}";
}

std::string referring_to(const std::string& subject) {
  return R"(,"artifactType":"application/x-signature","subject":)" +
         descriptor(oci::media_type::oci_manifest, digest_of(subject), subject.size());
}

class Copy : public testing::Test {
 protected:
  registry::CopyOrder order(const oci::Digest& manifest,
                            const std::vector<std::string>& tags = {}) {
    registry::CopyOrder order{
        .from_name = name("from/app"), .manifest = manifest, .to_name = name("to/app")};
    for (const auto& one : tags) order.tags.push_back(tag(one));
    return order;
  }
  registry::Answer<CopyTally> copy(registry::CopyOrder wish) {
    return run_on(context_, registry::copy(from_, to_, std::move(wish)));
  }
  CopyTally copied(registry::CopyOrder wish) {
    const auto tally = copy(std::move(wish));
    EXPECT_TRUE(tally) << tally.error().message;
    return tally.value_or(CopyTally{});
  }
  std::string add_index(const std::vector<Child>& children, const std::string& extra = {}) {
    auto bytes = index_of(children, extra);
    from_.add_manifest("from/app", bytes, {}, oci::media_type::oci_index);
    return bytes;
  }
  // Position in the log of the Sink.
  std::ptrdiff_t step(const std::string& line) const {
    const auto found = std::ranges::find(to_.log, line);
    EXPECT_NE(found, to_.log.end()) << line;
    return found - to_.log.begin();
  }
  std::ptrdiff_t put(const std::string& manifest) const {
    return step("manifest " + digest_of(manifest).text());
  }

  async::asio::io_context context_{1};
  MemoryPlace from_;
  MemoryPlace to_;
};

TEST_F(Copy, an_image_comes_with_its_blobs_first_and_its_tags_last) {
  const auto image = from_.add_image("from/app", 1);
  const auto tally = copied(order(digest_of(image), {"v1", "latest"}));
  EXPECT_EQ(tally.manifests, 1U);
  EXPECT_EQ(tally.blobs_moved, 2U);
  EXPECT_EQ(tally.bytes, 5300U + image.size());
  ASSERT_EQ(to_.log.size(), 5U);
  EXPECT_EQ(put(image), 2);
  EXPECT_EQ(to_.tagged("to/app", "v1"), digest_of(image));
  EXPECT_EQ(to_.tagged("to/app", "latest"), digest_of(image));
}

TEST_F(Copy, what_is_there_is_asked_for_once_and_not_walked) {
  const auto image = from_.add_image("from/app", 1);
  copied(order(digest_of(image), {"v1"}));
  to_.log.clear();
  to_.asked.clear();
  from_.asked.clear();
  const auto tally = copied(order(digest_of(image)));
  EXPECT_EQ(tally.manifests_held, 1U);
  EXPECT_EQ(to_.asked["resolve"], 1);
  EXPECT_EQ(from_.asked["manifest"], 0);
  EXPECT_EQ(to_.asked["put_blob"], 0);
  copied(order(digest_of(image), {"v1", "v2"}));
  EXPECT_EQ(to_.log, (std::vector<std::string>{"manifest " + digest_of(image).text(),
                                               "tag v2 " + digest_of(image).text()}));
}

TEST_F(Copy, children_come_before_their_index_and_a_common_blob_once) {
  const auto a = from_.add_image("from/app", 1);
  const auto b = from_.add_image("from/app", 1, {}, R"(,"annotations":{"same":"blobs"})");
  const auto inner = add_index({{b}});
  const auto outer = index_of({{a}, {inner}});
  // The inner one is listed as a manifest there; its type is what it is.
  from_.add_manifest("from/app", outer, {}, oci::media_type::oci_index);
  const auto tally = copied(order(digest_of(outer), {"v1"}));
  EXPECT_EQ(tally.manifests, 4U);
  EXPECT_EQ(tally.blobs_moved, 2U);
  EXPECT_EQ(to_.asked["put_blob"], 2);
  EXPECT_LT(put(a), put(outer));
  EXPECT_LT(put(b), put(inner));
  EXPECT_LT(put(inner), put(outer));
  EXPECT_EQ(step("tag v1 " + digest_of(outer).text()) + 1, std::ssize(to_.log));
}

TEST_F(Copy, platforms_leave_out_the_others) {
  const auto amd = from_.add_image("from/app", 1);
  const auto arm = from_.add_image("from/app", 2);
  const auto old_arm = from_.add_image("from/app", 3);
  const auto of_amd = from_.add_image("from/app", 4);
  const auto of_arm = from_.add_image("from/app", 5);
  const auto bare = from_.add_image("from/app", 6);
  const auto index = add_index({{amd, "linux/amd64"},
                                {arm, "linux/arm64/v8"},
                                {old_arm, "linux/arm/v6"},
                                {of_amd, "unknown/unknown", digest_of(amd).text()},
                                {of_arm, "unknown/unknown", digest_of(arm).text()},
                                {bare}});
  struct Row {
    std::vector<std::string> platforms;
    std::vector<std::string> expected;
  };
  const Row rows[] = {
      {{}, {amd, arm, old_arm, of_amd, of_arm, bare}},
      {{"linux/amd64"}, {amd, of_amd, bare}},
      {{"linux/arm64"}, {arm, of_arm, bare}},
      {{"linux/arm64/v8"}, {arm, of_arm, bare}},
      {{"linux/arm/v6", "linux/x86_64"}, {amd, old_arm, of_amd, bare}},
      {{"linux/arm/v7"}, {bare}},
  };
  for (const auto& row : rows) {
    to_ = MemoryPlace();
    auto wish = order(digest_of(index), {"v1"});
    wish.options.platforms = row.platforms;
    copied(wish);
    for (const auto& one : {amd, arm, old_arm, of_amd, of_arm, bare}) {
      const bool wanted = std::ranges::find(row.expected, one) != row.expected.end();
      EXPECT_EQ(to_.has_manifest("to/app", digest_of(one)), wanted);
    }
    EXPECT_EQ(to_.tagged("to/app", "v1"), digest_of(index));
  }
}

TEST_F(Copy, an_index_without_an_image_for_the_platforms_is_absent) {
  const auto amd = from_.add_image("from/app", 1);
  const auto index = add_index({{amd, "linux/amd64"}});
  auto wish = order(digest_of(index));
  wish.options.platforms = {"windows/amd64"};
  const auto answer = copy(wish);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, FailureKind::absent);
  EXPECT_TRUE(answer.error().no_platform);
  from_.judge = [](const std::string& step) -> std::optional<registry::Failure> {
    if (!step.starts_with("blob ")) return std::nullopt;
    return registry::Failure{.kind = FailureKind::absent, .message = "404"};
  };
  wish.options.platforms = {"linux/amd64"};
  const auto other = copy(wish);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, FailureKind::absent);
  EXPECT_FALSE(other.error().no_platform);
}

TEST_F(Copy, a_sparse_index_that_is_there_is_completed) {
  const auto amd = from_.add_image("from/app", 1);
  const auto arm = from_.add_image("from/app", 2);
  const auto index = add_index({{amd, "linux/amd64"}, {arm, "linux/arm64"}});
  auto wish = order(digest_of(index), {"v1"});
  wish.options.platforms = {"linux/amd64"};
  copied(wish);
  EXPECT_FALSE(to_.has_manifest("to/app", digest_of(arm)));
  wish.options.platforms = {};
  const auto tally = copied(wish);
  EXPECT_EQ(tally.manifests, 1U);
  EXPECT_EQ(tally.manifests_held, 2U);
  EXPECT_TRUE(to_.has_manifest("to/app", digest_of(arm)));
}

TEST_F(Copy, a_tag_more_for_a_sparse_index_that_is_there) {
  const auto amd = from_.add_image("from/app", 1);
  const auto arm = from_.add_image("from/app", 2);
  const auto index = add_index({{amd, "linux/amd64"}, {arm, "linux/arm64"}});
  auto wish = order(digest_of(index), {"v1"});
  wish.options.platforms = {"linux/amd64"};
  copied(wish);
  wish.tags = {tag("v2")};
  copied(wish);
  EXPECT_EQ(to_.tagged("to/app", "v2"), digest_of(index));
}

// hub -> a site that wants one platform -> another site that wants what the first one has.
TEST_F(Copy, what_a_sparse_source_left_out_is_left_out_here) {
  const auto amd = from_.add_image("from/app", 1);
  const auto arm = from_.add_image("from/app", 2);
  const auto index = add_index({{amd, "linux/amd64"}, {arm, "linux/arm64"}});
  from_.drop_manifest("from/app", digest_of(arm));
  auto wish = order(digest_of(index), {"v1"});
  // Of a registry that is said to hold whole images only, it is half an image.
  EXPECT_EQ(copy(wish).error().kind, FailureKind::absent);
  wish.options.sparse_source = true;
  EXPECT_EQ(copied(wish).manifests, 2U);
  EXPECT_EQ(to_.tagged("to/app", "v1"), digest_of(index));
  EXPECT_EQ(from_.asked["referrers"], 2);
  wish.tags = {tag("v2")};
  EXPECT_EQ(copied(wish).manifests_held, 2U);
  EXPECT_EQ(to_.tagged("to/app", "v2"), digest_of(index));
  // Once the source has it, it comes.
  from_.add_manifest("from/app", arm);
  EXPECT_EQ(copied(wish).manifests, 1U);
  EXPECT_TRUE(to_.has_manifest("to/app", digest_of(arm)));
}

TEST_F(Copy, a_sparse_source_is_no_excuse_for_half_an_image) {
  const auto amd = from_.add_image("from/app", 1);
  const auto arm = from_.add_image("from/app", 2);
  const auto index = add_index({{amd, "linux/amd64"}, {arm, "linux/arm64"}});
  struct Row {
    std::vector<std::string> platforms;
    std::vector<std::string> gone;  // steps at the source
    FailureKind kind = FailureKind::absent;
  };
  const auto manifest = [](const std::string& image) {
    return "manifest " + digest_of(image).text();
  };
  const Row rows[] = {
      {{"linux/arm64"}, {manifest(arm)}},
      {{"linux/amd64", "linux/arm64"}, {manifest(arm)}},
      {{}, {manifest(amd), manifest(arm)}},
      {{}, {manifest(index)}},
      {{}, {"blob " + digest_of(noise(5000, 1002)).text()}},
      {{}, {manifest(arm)}, FailureKind::timeout},
  };
  for (const auto& row : rows) {
    to_ = MemoryPlace();
    from_.judge = [&](const std::string& step) -> std::optional<registry::Failure> {
      if (std::ranges::find(row.gone, step) == row.gone.end()) return std::nullopt;
      return registry::Failure{.kind = row.kind, .message = "gone"};
    };
    auto wish = order(digest_of(index), {"v1"});
    wish.options.sparse_source = true;
    wish.options.platforms = row.platforms;
    const auto answer = copy(wish);
    ASSERT_FALSE(answer) << row.gone.front();
    EXPECT_EQ(answer.error().kind, row.kind);
    EXPECT_EQ(to_.tagged("to/app", "v1"), std::nullopt);
  }
}

TEST_F(Copy, referrers_come_along_theirs_too_page_by_page) {
  const auto child = from_.add_image("from/app", 1);
  const auto index = add_index({{child}});
  const auto signature = from_.add_image("from/app", 2, {}, referring_to(index));
  const auto sbom = from_.add_image("from/app", 3, {}, referring_to(index));
  const auto of_child = from_.add_image("from/app", 4, {}, referring_to(child));
  const auto of_sbom = from_.add_image("from/app", 5, {}, referring_to(sbom));
  from_.page_size = 1;
  const auto tally = copied(order(digest_of(index), {"v1"}));
  EXPECT_EQ(tally.manifests, 6U);
  for (const auto& one : {signature, sbom, of_child, of_sbom}) {
    EXPECT_TRUE(to_.has_manifest("to/app", digest_of(one)));
    EXPECT_LT(put(one), step("tag v1 " + digest_of(index).text()));
  }
  // A signature that comes later, to an image that is there.
  const auto late = from_.add_image("from/app", 6, {}, referring_to(child));
  EXPECT_EQ(copied(order(digest_of(index), {"v1"})).manifests, 1U);
  EXPECT_TRUE(to_.has_manifest("to/app", digest_of(late)));
}

TEST_F(Copy, referrers_stay_behind_when_told_so) {
  const auto image = from_.add_image("from/app", 1);
  const auto signature = from_.add_image("from/app", 2, {}, referring_to(image));
  auto wish = order(digest_of(image));
  wish.options.referrers = false;
  copied(wish);
  EXPECT_FALSE(to_.has_manifest("to/app", digest_of(signature)));
  EXPECT_EQ(from_.asked["referrers"], 0);
}

TEST_F(Copy, an_index_may_refer_to_the_image_it_lists) {
  const auto image = from_.add_image("from/app", 1);
  const auto index = add_index({{image}}, referring_to(image));
  const auto tally = copied(order(digest_of(image), {"v1"}));
  EXPECT_EQ(tally.manifests, 2U);
  EXPECT_LT(put(image), put(index));
  EXPECT_EQ(to_.tagged("to/app", "v1"), digest_of(image));
}

TEST_F(Copy, a_referrer_that_was_deleted_is_passed_over) {
  const auto image = from_.add_image("from/app", 1);
  const auto signature = from_.add_image("from/app", 2, {}, referring_to(image));
  from_.judge = [&](const std::string& step) -> std::optional<registry::Failure> {
    if (step != "manifest " + digest_of(signature).text()) return std::nullopt;
    return registry::Failure{.kind = FailureKind::absent, .message = "gone"};
  };
  EXPECT_TRUE(copy(order(digest_of(image), {"v1"})));
}

TEST_F(Copy, foreign_layers_stay_where_they_are) {
  const auto config = noise(300, 1);
  from_.add_blob("from/app", config);
  auto foreign = descriptor("application/x-foreign", digest_of("far away"), 8);
  foreign.insert(foreign.size() - 1, R"(,"urls":["https://example.com/blob"])");
  const auto image = R"({"schemaVersion":2,"mediaType":")" +
                     std::string(oci::media_type::oci_manifest) + R"(","config":)" +
                     descriptor("application/x-config", digest_of(config), config.size()) +
                     R"(,"layers":[)" + foreign + "]}";
  from_.add_manifest("from/app", image);
  EXPECT_EQ(copied(order(digest_of(image))).blobs_moved, 1U);
}

TEST_F(Copy, schema_1_is_refused_with_a_sentence) {
  const std::string old = R"({"schemaVersion":1,"name":"app","tag":"v1","fsLayers":[]})";
  const auto digest = from_.add_manifest("from/app", old, {}, oci::media_type::docker_schema1);
  const auto answer = copy(order(digest));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, FailureKind::denied);
  EXPECT_NE(answer.error().message.find("schema 1"), std::string::npos);
}

TEST_F(Copy, failures_say_what_and_where_and_nothing_crosses_twice) {
  const auto a = from_.add_image("from/app", 1);
  const auto b = from_.add_image("from/app", 2);
  const auto signature = from_.add_image("from/app", 3, {}, referring_to(b));
  const auto index = add_index({{a}, {b}});
  const std::string layer = digest_of(noise(5000, 1002)).text();
  struct Row {
    MemoryPlace& at;
    std::string step;
    std::string said;
  };
  const Row rows[] = {
      {to_, "resolve " + digest_of(index).text(), "to/app"},
      {from_, "manifest " + digest_of(index).text(), "from/app"},
      {from_, "manifest " + digest_of(b).text(), "from/app"},
      {to_, "put_blob " + layer, "blob " + layer},
      {from_, "blob " + layer, "blob " + layer},
      {to_, "put_manifest " + digest_of(a).text(), "to/app"},
      {from_, "referrers " + digest_of(b).text(), "from/app"},
      {to_, "put_manifest " + digest_of(signature).text(), "to/app"},
      {to_, "put_manifest " + digest_of(index).text(), "to/app"},
  };
  for (const auto& row : rows) {
    to_ = MemoryPlace();
    row.at.judge = [&](const std::string& step) -> std::optional<registry::Failure> {
      if (step != row.step) return std::nullopt;
      return registry::Failure{.kind = FailureKind::timeout, .message = "as the test wants it"};
    };
    const auto answer = copy(order(digest_of(index), {"v1"}));
    ASSERT_FALSE(answer) << row.step;
    EXPECT_EQ(answer.error().kind, FailureKind::timeout);
    EXPECT_NE(answer.error().message.find(row.said), std::string::npos) << answer.error().message;
    EXPECT_EQ(to_.tagged("to/app", "v1"), std::nullopt);
    row.at.judge = {};
    EXPECT_TRUE(copy(order(digest_of(index), {"v1"})));
    auto log = to_.log;
    std::ranges::sort(log);
    EXPECT_EQ(std::ranges::adjacent_find(log), log.end()) << "came twice after " << row.step;
    EXPECT_EQ(log.size(), 6U + 4U + 1U);
  }
}

TEST_F(Copy, a_target_that_cannot_say_what_it_holds_is_tried) {
  const auto image = from_.add_image("from/app", 1);
  to_.judge = [](const std::string& step) -> std::optional<registry::Failure> {
    if (!step.starts_with("resolve ")) return std::nullopt;
    return registry::Failure{.kind = FailureKind::broken, .message = "answered 502"};
  };
  EXPECT_EQ(copied(order(digest_of(image), {"v1"})).manifests, 1U);
  EXPECT_EQ(to_.tagged("to/app", "v1"), digest_of(image));
}

TEST_F(Copy, whoever_hears_of_bytes_may_end_it) {
  const auto image = from_.add_image("from/app", 1);
  auto wish = order(digest_of(image), {"v1"});
  std::uint64_t heard = 0;
  wish.moved = [&](std::uint64_t bytes) { heard += bytes; };
  copied(wish);
  EXPECT_EQ(heard, 5300U);
  to_ = MemoryPlace();
  heard = 0;
  wish.moved = [&](std::uint64_t bytes) {
    heard += bytes;
    if (heard > 3000) throw std::out_of_range("enough");
  };
  EXPECT_THROW(copy(wish), std::out_of_range);
  EXPECT_LE(heard, 4300U);
  EXPECT_EQ(to_.tagged("to/app", "v1"), std::nullopt);
}

TEST_F(Copy, a_cancelled_copy_puts_nothing_more) {
  const auto image = from_.add_image("from/app", 1);
  async::asio::cancellation_signal cancel;
  auto wish = order(digest_of(image), {"v1"});
  wish.moved = [&](std::uint64_t) { cancel.emit(async::asio::cancellation_type::terminal); };
  bool over = false;
  std::optional<registry::Answer<CopyTally>> answer;
  async::spawn_cancellable(context_.get_executor(),
                           keep_result(registry::copy(from_, to_, wish), answer), "a copy",
                           cancel.slot(), [&] { over = true; });
  while (!over && context_.run_one() > 0) {
  }
  EXPECT_TRUE(over);
  EXPECT_FALSE(answer);
  EXPECT_FALSE(to_.has_manifest("to/app", digest_of(image)));
}

TEST_F(Copy, repositories_seen_before_are_hints_for_mounts) {
  const auto image = from_.add_image("from/app", 1);
  const auto other = from_.add_image("from/app", 1, {}, R"(,"annotations":{"same":"blobs"})");
  auto wish = order(digest_of(image));
  wish.seen = std::make_shared<registry::Sightings>();
  copied(wish);
  wish.manifest = digest_of(other);
  wish.to_name = name("to/other");
  const auto tally = copied(wish);
  EXPECT_EQ(tally.blobs_mounted, 2U);
  EXPECT_EQ(tally.bytes, other.size());
}

TEST_F(Copy, an_estimate_tells_what_the_copy_does) {
  const auto a = from_.add_image("from/app", 1);
  const auto b = from_.add_image("from/app", 2);
  from_.add_image("from/app", 3, {}, referring_to(a));
  const auto index = add_index({{a}, {b}});
  copied(order(digest_of(b)));
  const auto guessed =
      run_on(context_, registry::estimate(from_, to_, order(digest_of(index), {"v1"})));
  ASSERT_TRUE(guessed) << guessed.error().message;
  EXPECT_EQ(to_.tagged("to/app", "v1"), std::nullopt);
  const auto done = copied(order(digest_of(index), {"v1"}));
  EXPECT_EQ(guessed->manifests, done.manifests);
  EXPECT_EQ(guessed->manifests_held, done.manifests_held);
  EXPECT_EQ(guessed->blobs_moved, done.blobs_moved);
  EXPECT_EQ(guessed->blobs_held, done.blobs_held);
  EXPECT_EQ(guessed->bytes, done.bytes);
}

TEST(Sightings, the_newest_few_thousand_are_remembered) {
  registry::Sightings seen;
  const auto first = digest_of("first");
  seen.add(first, name("a"));
  for (const auto* repository : {"b", "c", "d", "c"}) seen.add(first, name(repository));
  EXPECT_EQ(seen.of(first).size(), 3U);
  EXPECT_EQ(seen.of(first).front(), name("d"));
  for (int i = 0; i < 20'000; ++i) seen.add(digest_of(std::to_string(i)), name("a"));
  EXPECT_TRUE(seen.of(first).empty());
  EXPECT_EQ(seen.of(digest_of("19999")).size(), 1U);
}

}  // namespace
}  // namespace entrepot::test::copy_test
