// What every registry::Source promises. An implementation includes this file and instantiates the
// suite with a factory of Stands: a source and the means to put content behind it.
//   INSTANTIATE_TEST_SUITE_P(local, SourceContract, testing::Values(make_local_stand));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "entrepot/registry/source.hpp"
#include "support/chunks.hpp"
#include "support/run_task.hpp"
#include "support/words.hpp"

namespace entrepot::test {

class SourceStand {
 public:
  virtual ~SourceStand() = default;
  virtual registry::Source& source() = 0;
  // Behind the source, as its owner would put them there.
  virtual void put_blob(const std::string& repository, const std::string& bytes) = 0;
  virtual void put_manifest(const std::string& repository, const std::vector<std::string>& tags,
                            std::string_view media_type, const std::string& bytes) = 0;

  template <class T>
  T run(async::Task<T> task) {
    return run_task(context_, std::move(task));
  }

 private:
  async::asio::io_context context_{1};
};

using MakeStand = std::function<std::unique_ptr<SourceStand>()>;

class SourceContract : public testing::TestWithParam<MakeStand> {
 protected:
  SourceContract() : stand_(GetParam()()) {}

  registry::Source& source() { return stand_->source(); }
  template <class T>
  T run(async::Task<T> task) {
    return stand_->run(std::move(task));
  }

  // A whole image in `repository`; returns its manifest.
  std::string put_image(const std::string& repository, const std::vector<std::string>& tags,
                        std::string_view extra = {}) {
    stand_->put_blob(repository, config_);
    stand_->put_blob(repository, layer_);
    auto manifest = image_manifest(
        {{digest_of(config_), config_.size()}, {digest_of(layer_), layer_.size()}}, extra);
    stand_->put_manifest(repository, tags, oci::media_type::oci_manifest, manifest);
    return manifest;
  }

  const std::string config_ = noise(500, 7);
  const std::string layer_ = noise(200'000, 8);
  std::unique_ptr<SourceStand> stand_;
};

TEST_P(SourceContract, a_reference_resolves_to_digest_type_and_size) {
  const auto manifest = put_image("org/app", {"v1"});
  for (const auto& reference : {reference("v1"), reference(digest_of(manifest))}) {
    const auto found = run(source().resolve(name("org/app"), reference));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->digest, digest_of(manifest));
    EXPECT_EQ(found->media_type, oci::media_type::oci_manifest);
    EXPECT_EQ(found->size, manifest.size());
  }
}

TEST_P(SourceContract, manifests_come_byte_for_byte) {
  const auto manifest = put_image("org/app", {"v1"});
  for (const auto& reference : {reference("v1"), reference(digest_of(manifest))}) {
    const auto found = run(source().manifest(name("org/app"), reference));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->bytes, manifest);
    EXPECT_EQ(found->digest, digest_of(manifest));
    EXPECT_EQ(found->media_type, oci::media_type::oci_manifest);
  }
}

TEST_P(SourceContract, blobs_come_whole_and_from_any_offset) {
  put_image("org/app", {"v1"});
  for (const std::uint64_t offset : {0U, 1U, 70'000U, 199'999U}) {
    const auto found = run(source().blob(name("org/app"), digest_of(layer_)));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->bytes->size(), layer_.size());
    EXPECT_EQ(run(text_from(*found->bytes, offset, 50'000)), layer_.substr(offset));
  }
}

TEST_P(SourceContract, a_reader_may_say_where_it_starts) {
  put_image("org/app", {"v1"});
  const registry::BlobStart start{.offset = 150'000, .size = layer_.size()};
  const auto found = run(source().blob_from(name("org/app"), digest_of(layer_), start));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->bytes->size(), layer_.size());
  EXPECT_EQ(run(text_from(*found->bytes, 150'000, 50'000)), layer_.substr(150'000));
}

TEST_P(SourceContract, stat_tells_the_size) {
  put_image("org/app", {"v1"});
  const auto found = run(source().stat(name("org/app"), digest_of(layer_)));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->size, layer_.size());
}

TEST_P(SourceContract, what_is_not_there_is_absent) {
  put_image("org/app", {"v1"});
  const auto kind = [](const auto& answer) {
    return answer ? std::optional<registry::FailureKind>() : std::optional(answer.error().kind);
  };
  const auto nothing = digest_of("nothing");
  const auto absent = std::optional(registry::FailureKind::absent);
  for (const auto* repository : {"org/app", "org/none"}) {
    EXPECT_EQ(kind(run(source().resolve(name(repository), reference("none")))), absent);
    EXPECT_EQ(kind(run(source().resolve(name(repository), reference(nothing)))), absent);
    EXPECT_EQ(kind(run(source().manifest(name(repository), reference("none")))), absent);
    EXPECT_EQ(kind(run(source().manifest(name(repository), reference(nothing)))), absent);
    EXPECT_EQ(kind(run(source().stat(name(repository), nothing))), absent);
    EXPECT_EQ(kind(run(source().blob(name(repository), nothing))), absent);
  }
  EXPECT_EQ(kind(run(source().tags(name("org/none"), {}))), absent);
}

// Rows: C-22
TEST_P(SourceContract, content_of_another_repository_is_absent) {
  const auto manifest = put_image("org/app", {"v1"});
  stand_->put_blob("org/other", noise(10, 3));
  EXPECT_TRUE(run(source().blob(name("org/app"), digest_of(layer_))));
  EXPECT_FALSE(run(source().manifest(name("org/other"), reference(digest_of(manifest)))));
  EXPECT_FALSE(run(source().stat(name("org/other"), digest_of(layer_))));
  EXPECT_FALSE(run(source().blob(name("org/other"), digest_of(layer_))));
}

TEST_P(SourceContract, tags_come_in_pages_in_byte_order) {
  put_image("org/app", {"b", "a", "C", "d"});
  const auto page = [&](std::string after, std::size_t limit) {
    auto answer = run(source().tags(name("org/app"), {std::move(after), limit}));
    EXPECT_TRUE(answer);
    std::string line;
    for (const auto& one : answer->tags) line += one.text() + " ";
    return line + (answer->more ? "more" : "end");
  };
  EXPECT_EQ(page("", 100), "C a b d end");
  EXPECT_EQ(page("", 2), "C a more");
  EXPECT_EQ(page("a", 2), "b d end");
  EXPECT_EQ(page("d", 2), "end");
}

TEST_P(SourceContract, referrers_of_a_subject_are_listed) {
  const auto subject = put_image("org/app", {"v1"});
  const auto signature =
      put_image("org/app", {},
                R"(,"artifactType":"application/x-signature","subject":)" +
                    descriptor(oci::media_type::oci_manifest, digest_of(subject), subject.size()));
  // A mirror that must answer for itself needs to have seen the referrer.
  ASSERT_TRUE(run(source().manifest(name("org/app"), reference(digest_of(signature)))));
  const auto found = run(source().referrers(name("org/app"), digest_of(subject), "", {}));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->referrers.size(), 1U);
  EXPECT_EQ(found->referrers[0].descriptor.digest, digest_of(signature));
  EXPECT_EQ(found->referrers[0].artifact_type, "application/x-signature");
  const auto others =
      run(source().referrers(name("org/app"), digest_of(subject), "application/x-other", {}));
  ASSERT_TRUE(others);
  EXPECT_TRUE(others->referrers.empty() || !others->filtered);
}

}  // namespace entrepot::test
