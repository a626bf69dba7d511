// A RemotePlace before a registry of others: Debian's docker-registry 2.8.
#include <gtest/gtest.h>

#include <random>

#include "entrepot/oci/refusal.hpp"
#include "support/docker_registry.hpp"
#include "unit/upstream/push_lab.hpp"

namespace entrepot::upstream::docker_registry_test {
namespace {

// Ends with an error behind each 6 MB.
class Breaking final : public async::ByteSource {
 public:
  Breaking(std::string bytes, std::uint64_t start) : bytes_(std::move(bytes)), start_(start) {}
  std::uint64_t size() const override { return bytes_.size(); }
  async::Task<async::Chunk> read_at(std::uint64_t offset, std::uint64_t most) override {
    if (offset >= start_ + 6'000'000) throw oci::Refusal(oci::ErrorCode::upstream_failed, "broke");
    const auto count = std::min<std::uint64_t>({most, 100'000, bytes_.size() - offset});
    co_return async::memory_chunk(bytes_.substr(offset, count));
  }

 private:
  std::string bytes_;
  std::uint64_t start_;
};

async::Task<registry::Answer<registry::BlobContent>> open_some(std::string bytes,
                                                               std::shared_ptr<Openings> openings,
                                                               registry::BlobStart start) {
  openings->push_back(start.offset);
  co_return registry::BlobContent{std::make_unique<Breaking>(std::move(bytes), start.offset)};
}

class BeforeDockerRegistry : public testing::Test, public Lab {
 protected:
  void SetUp() override {
    if (!test::DockerRegistry::installed()) GTEST_SKIP() << "docker-registry is not installed";
    registry_.emplace();
    use({});
  }
  void use(std::deque<std::size_t> cuts) {
    wire_.emplace(registry_->port(), std::move(cuts));
    options.urls = {wire_->url()};
  }
  registry::BlobTaken put(const oci::RepositoryName& name, const std::string& bytes) {
    auto taken = run(place().put_blob(name, offer(bytes)));
    EXPECT_TRUE(taken) << taken.error().message;
    return taken.value_or(registry::BlobTaken{});
  }
  registry::BlobOffer offer(const std::string& bytes) {
    return {.digest = digest_of(bytes),
            .size = bytes.size(),
            .open = [bytes, openings = openings](registry::BlobStart start) {
              return open_text(bytes, openings, start);
            }};
  }
  std::string fetch(const oci::RepositoryName& name, const std::string& bytes) {
    auto found = run(place().blob(name, digest_of(bytes)));
    return found ? run(read_rest(std::move(*found), 0)) : found.error().message;
  }

  std::optional<test::DockerRegistry> registry_;
  std::optional<test::CuttingWire> wire_;
  std::shared_ptr<Openings> openings = std::make_shared<Openings>();
};

// It throws an upload away whose piece broke off ("upload resumed at wrong offset"), and we begin
// anew; what comes of it is right.
// Rows: N-05 N-06
TEST_F(BeforeDockerRegistry, a_push_gets_through_a_line_that_breaks) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto layer = test::noise(20'000'000, seed);
  const std::size_t first = 100'000 + random() % 9'000'000;
  const std::size_t second = 100'000 + random() % 9'000'000;
  use({first, second});
  EXPECT_EQ(put(app(), layer).how, registry::Taken::moved);
  EXPECT_EQ(wire_->cuts_left(), 0U);
  EXPECT_EQ(*openings, (Openings{0, 0, 0}));
  EXPECT_LT(wire_->sent(), first + second + layer.size() + 64 * 1024);
  EXPECT_TRUE(fetch(app(), layer) == layer);
}

// Rows: N-06
TEST_F(BeforeDockerRegistry, an_offer_that_breaks_off_breaks_no_upload) {
  const auto layer = test::noise(20'000'000, 5);
  auto offered = offer(layer);
  offered.open = [layer, openings = openings](registry::BlobStart start) {
    return open_some(layer, openings, start);
  };
  const auto taken = run(place().put_blob(app(), offered));
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_GE(openings->size(), 4U);
  EXPECT_LT(wire_->sent(), layer.size() + 64 * 1024);
  EXPECT_TRUE(fetch(app(), layer) == layer);
}

TEST_F(BeforeDockerRegistry, an_image_is_pushed_mounted_listed_and_taken_away) {
  const auto config = test::noise(500, 1);
  const auto layer = test::noise(6'000'000, 2);
  const auto manifest =
      test::image_manifest({{digest_of(config), config.size()}, {digest_of(layer), layer.size()}});
  const auto other = test::name("library/other");
  registry::ManifestOffer offered{.digest = digest_of(manifest),
                                  .media_type = oci_type,
                                  .bytes = manifest,
                                  .tags = {test::tag("v1"), test::tag("v2")}};
  EXPECT_FALSE(run(place().put_manifest(app(), offered)));
  put(app(), config);
  put(app(), layer);
  EXPECT_EQ(put(app(), layer).how, registry::Taken::held);
  EXPECT_EQ(put(other, layer).how, registry::Taken::mounted);
  const auto done = run(place().put_manifest(app(), offered));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(run(place().manifest(app(), at("v2")))->bytes, manifest);
  EXPECT_TRUE(fetch(other, layer) == layer);
  const auto list = run(place().repositories({}));
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->repositories, (std::vector{app(), other}));
  // It knows no deletion of a tag alone, and keeps both.
  const auto removed = run(place().remove(app(), at("v1")));
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, registry::FailureKind::denied);
  EXPECT_TRUE(run(place().resolve(app(), at("v1"))));
  EXPECT_EQ(run(place().remove(app(), test::reference(digest_of(manifest)))), true);
  EXPECT_FALSE(run(place().resolve(app(), at("v2"))));
}

TEST_F(BeforeDockerRegistry, signatures_are_found_though_it_lists_no_referrers) {
  const auto config = test::noise(500, 1);
  put(app(), config);
  const auto image = [&](std::string_view extra) {
    const auto bytes = test::image_manifest({{digest_of(config), config.size()}}, extra);
    return registry::ManifestOffer{
        .digest = digest_of(bytes), .media_type = oci_type, .bytes = bytes};
  };
  const auto subject = image("");
  const auto about =
      R"(,"subject":)" + test::descriptor(oci_type, subject.digest, subject.bytes.size());
  const auto signature = image(about);
  for (const auto& each : {subject, signature, image(about + R"(,"annotations":{"a":"b"})")}) {
    const auto done = run(place().put_manifest(app(), each));
    ASSERT_TRUE(done) << done.error().message;
  }
  const auto found = run(place().referrers(app(), subject.digest, "", {}));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->referrers.size(), 2U);
  EXPECT_EQ(found->referrers[0].descriptor.digest, signature.digest);
}

TEST_F(BeforeDockerRegistry, wrong_bytes_are_not_kept) {
  auto offered = offer(test::noise(6'000'000, 2));
  offered.digest = digest_of("another");
  const auto taken = run(place().put_blob(app(), offered));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().message, "upstream lab: answered 400 (DIGEST_INVALID)");
  EXPECT_FALSE(run(place().stat(app(), offered.digest)));
}

}  // namespace
}  // namespace entrepot::upstream::docker_registry_test
