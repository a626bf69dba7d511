// What every registry::Sink (and the Place it belongs to) promises. An implementation includes this
// file and instantiates the suite with a factory of PlaceStands.
//   INSTANTIATE_TEST_SUITE_P(Local, SinkContract, testing::Values(make_local_place_stand));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "entrepot/async/together.hpp"
#include "entrepot/registry/sink.hpp"
#include "support/chunks.hpp"
#include "support/offers.hpp"
#include "support/run_task.hpp"
#include "support/scripted_source.hpp"
#include "support/words.hpp"

namespace entrepot::test {

class PlaceStand {
 public:
  virtual ~PlaceStand() = default;
  // Empty at first, and lets us do everything.
  virtual registry::Place& place() = 0;

  template <class T>
  T run(async::Task<T> task) {
    return run_task(context_, std::move(task));
  }
  async::asio::io_context& context() { return context_; }

 private:
  async::asio::io_context context_{1};
};

using MakePlaceStand = std::function<std::unique_ptr<PlaceStand>()>;

class SinkContract : public testing::TestWithParam<MakePlaceStand> {
 protected:
  SinkContract() : stand_(GetParam()()) {}

  registry::Place& place() { return stand_->place(); }
  template <class T>
  T run(async::Task<T> task) {
    return stand_->run(std::move(task));
  }

  registry::BlobOffer offer(const std::string& bytes) {
    return offer_from(source_, "app", source_.put_blob("app", bytes), bytes.size());
  }
  registry::BlobOffer offer(BlobPlan plan) {
    const auto digest = digest_of(plan.bytes);
    const auto size = plan.bytes.size();
    source_.put_blob("app", digest, std::move(plan));
    return offer_from(source_, "app", digest, size);
  }
  registry::BlobTaken put(const std::string& repository, registry::BlobOffer blob) {
    auto taken = run(place().put_blob(name(repository), std::move(blob)));
    EXPECT_TRUE(taken) << taken.error().message;
    return taken.value_or(registry::BlobTaken{});
  }
  static registry::ManifestOffer manifest(const std::string& bytes,
                                          const std::vector<std::string>& tags) {
    registry::ManifestOffer offered{.digest = digest_of(bytes),
                                    .media_type = std::string(oci::media_type::oci_manifest),
                                    .bytes = bytes};
    for (const auto& one : tags) offered.tags.push_back(tag(one));
    return offered;
  }
  // An image whose blobs are there; returns its manifest's bytes.
  std::string image(const std::string& repository, unsigned seed = 1) {
    const auto config = noise(300, seed);
    const auto layer = noise(5000, seed + 100);
    put(repository, offer(config));
    put(repository, offer(layer));
    return image_manifest({{digest_of(config), config.size()}, {digest_of(layer), layer.size()}});
  }
  std::string content(const std::string& repository, const oci::Digest& digest) {
    auto found = run(place().blob(name(repository), digest));
    if (!found) return found.error().message;
    return run(text_from(*found->bytes, 0, 1 << 20));
  }
  std::optional<oci::Digest> at(const std::string& repository, const oci::Reference& reference) {
    const auto found = run(place().resolve(name(repository), reference));
    return found ? std::optional(found->digest) : std::nullopt;
  }

  ScriptedSource source_;
  const std::string big_ = noise(1'500'000, 9);
  std::unique_ptr<PlaceStand> stand_;
};

TEST_P(SinkContract, a_blob_moves_once_and_is_held_then) {
  const auto taken = put("org/app", offer(big_));
  EXPECT_EQ(taken.how, registry::Taken::moved);
  EXPECT_EQ(taken.bytes, big_.size());
  EXPECT_EQ(content("org/app", digest_of(big_)), big_);
  const auto again = put("org/app", offer(big_));
  EXPECT_EQ(again.how, registry::Taken::held);
  EXPECT_EQ(again.bytes, 0U);
  EXPECT_EQ(source_.starts().size(), 1U);
}

TEST_P(SinkContract, an_empty_blob_is_a_blob) {
  put("org/app", offer(std::string()));
  EXPECT_EQ(content("org/app", digest_of("")), "");
  EXPECT_TRUE(run(place().stat(name("org/app"), digest_of(""))));
}

// Rows: N-06
TEST_P(SinkContract, a_transfer_that_breaks_off_goes_on_where_it_was) {
  const auto taken =
      put("org/app", offer(BlobPlan{.bytes = big_, .break_at = 700'000, .breaks = 1}));
  EXPECT_EQ(taken.how, registry::Taken::moved);
  EXPECT_EQ(content("org/app", digest_of(big_)), big_);
  const auto starts = source_.starts();
  ASSERT_GE(starts.size(), 2U);
  EXPECT_GT(starts.back(), 400'000U) << "what had arrived came again";
}

TEST_P(SinkContract, wrong_bytes_are_refused_and_not_kept) {
  const auto digest = digest_of(big_);
  source_.put_blob("app", digest, BlobPlan{.bytes = noise(big_.size(), 77)});
  const auto taken =
      run(place().put_blob(name("org/app"), offer_from(source_, "app", digest, big_.size())));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, registry::FailureKind::broken);
  EXPECT_FALSE(run(place().stat(name("org/app"), digest)));
}

TEST_P(SinkContract, what_the_source_has_not_fails_as_it_said) {
  const auto digest = digest_of("nobody has it");
  const auto taken = run(place().put_blob(name("org/app"), offer_from(source_, "app", digest, 13)));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, registry::FailureKind::absent);
}

TEST_P(SinkContract, several_at_once_move_it_once) {
  std::vector<std::optional<registry::Answer<registry::BlobTaken>>> answers(5);
  const auto one = offer(big_);
  const auto put_into = [&](std::optional<registry::Answer<registry::BlobTaken>>& answer) {
    return keep_result(place().put_blob(name("org/app"), one), answer);
  };
  std::vector<async::Task<>> tasks;
  for (auto& answer : answers) tasks.push_back(put_into(answer));
  run_on(stand_->context(), async::together(std::move(tasks)));
  std::uint64_t bytes = 0;
  for (const auto& answer : answers) {
    ASSERT_TRUE(*answer) << answer->error().message;
    bytes += (*answer)->bytes;
  }
  EXPECT_EQ(bytes, big_.size());
  EXPECT_EQ(source_.starts().size(), 1U);
}

TEST_P(SinkContract, another_repository_may_have_it_without_bytes) {
  put("org/app", offer(big_));
  auto wanted = offer(big_);
  wanted.mount_from = {name("org/app")};
  put("org/other", wanted);
  EXPECT_EQ(content("org/other", digest_of(big_)), big_);
}

TEST_P(SinkContract, a_manifest_is_there_byte_for_byte_under_its_tags) {
  const auto bytes = image("org/app");
  ASSERT_TRUE(run(place().put_manifest(name("org/app"), manifest(bytes, {"v1", "latest"}))));
  for (const auto& one : {reference("v1"), reference("latest"), reference(digest_of(bytes))}) {
    const auto found = run(place().manifest(name("org/app"), one));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->bytes, bytes);
    EXPECT_EQ(found->media_type, oci::media_type::oci_manifest);
  }
  // And again.
  EXPECT_TRUE(run(place().put_manifest(name("org/app"), manifest(bytes, {"v1"}))));
}

TEST_P(SinkContract, a_manifest_needs_no_tag) {
  const auto bytes = image("org/app");
  ASSERT_TRUE(run(place().put_manifest(name("org/app"), manifest(bytes, {}))));
  EXPECT_EQ(at("org/app", reference(digest_of(bytes))), digest_of(bytes));
  EXPECT_EQ(at("org/app", reference("v1")), std::nullopt);
}

TEST_P(SinkContract, a_tag_moves) {
  const auto first = image("org/app", 1);
  const auto second = image("org/app", 2);
  ASSERT_TRUE(run(place().put_manifest(name("org/app"), manifest(first, {"v1"}))));
  ASSERT_TRUE(run(place().put_manifest(name("org/app"), manifest(second, {"v1"}))));
  EXPECT_EQ(at("org/app", reference("v1")), digest_of(second));
}

TEST_P(SinkContract, a_tag_goes_and_then_there_is_none) {
  const auto bytes = image("org/app");
  ASSERT_TRUE(run(place().put_manifest(name("org/app"), manifest(bytes, {"v1", "v2"}))));
  const auto removed = run(place().remove(name("org/app"), reference("v1")));
  if (!removed && removed.error().kind == registry::FailureKind::denied) return;
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_TRUE(*removed);
  EXPECT_EQ(at("org/app", reference("v1")), std::nullopt);
  EXPECT_EQ(at("org/app", reference("v2")), digest_of(bytes));
  const auto again = run(place().remove(name("org/app"), reference("v1")));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_FALSE(*again);
}

TEST_P(SinkContract, a_manifest_goes_with_its_tags) {
  const auto bytes = image("org/app");
  ASSERT_TRUE(run(place().put_manifest(name("org/app"), manifest(bytes, {"v1"}))));
  const auto removed = run(place().remove(name("org/app"), reference(digest_of(bytes))));
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_TRUE(*removed);
  EXPECT_EQ(at("org/app", reference("v1")), std::nullopt);
  EXPECT_EQ(at("org/app", reference(digest_of(bytes))), std::nullopt);
}

TEST_P(SinkContract, repositories_come_in_pages) {
  for (const auto* repository : {"a/one", "b/two", "c/three"}) {
    ASSERT_TRUE(run(place().put_manifest(name(repository), manifest(image(repository), {"v1"}))));
  }
  std::vector<std::string> found;
  registry::Page page{.after = {}, .limit = 2};
  for (int pages = 0; pages < 5; ++pages) {
    const auto answer = run(place().repositories(page));
    ASSERT_TRUE(answer) << answer.error().message;
    for (const auto& one : answer->repositories) found.push_back(one.text());
    if (answer->next.empty()) break;
    page.after = answer->next;
  }
  EXPECT_EQ(found, (std::vector<std::string>{"a/one", "b/two", "c/three"}));
}

}  // namespace entrepot::test
