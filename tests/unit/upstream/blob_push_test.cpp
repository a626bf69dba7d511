// Blobs pushed to a registry, seen from there: what crosses, and that nothing crosses twice.
#include "unit/upstream/push_lab.hpp"

#include "entrepot/async/together.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::upstream::blob_push_test {
namespace {

using registry::FailureKind;
using registry::Taken;

using BlobPushes = PushLab;

TEST_F(BlobPushes, a_small_blob_takes_a_question_and_two_requests) {
  const auto taken = put(little);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->how, Taken::moved);
  EXPECT_EQ(taken->bytes, little.size());
  EXPECT_EQ(stored(little), little);
  ASSERT_EQ(server.requests().size(), 3U);
  EXPECT_EQ(server.requests()[0].method, "HEAD");
  EXPECT_EQ(server.requests()[1].line(), "POST /v2/library/app/blobs/uploads/");
  EXPECT_EQ(server.requests()[2].method, "PUT");
  EXPECT_EQ(server.requests()[2].header("Content-Length"), "70000");
}

TEST_F(BlobPushes, a_large_blob_is_streamed_and_closed) {
  const auto taken = put(large);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(stored(large), large);
  ASSERT_EQ(server.requests().size(), 4U);
  const auto patch = server.requests()[2];
  EXPECT_EQ(patch.method, "PATCH");
  EXPECT_EQ(patch.header("Content-Range"), "0-8999999");
  EXPECT_EQ(patch.header("Content-Length"), "9000000");
  EXPECT_EQ(patch.header("Content-Type"), "application/octet-stream");
  EXPECT_EQ(server.requests()[3].header("Content-Length"), "0");
  EXPECT_EQ(shelf.open_uploads(), 0U);
}

TEST_F(BlobPushes, an_empty_blob_is_one_too) {
  ASSERT_TRUE(put(""));
  EXPECT_EQ(server.count("PUT"), 1U);
  EXPECT_TRUE(openings->empty());
}

TEST_F(BlobPushes, what_is_there_is_not_moved) {
  shelf.put_blob("library/app", large);
  const auto taken = put(large);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->how, Taken::held);
  EXPECT_EQ(taken->bytes, 0U);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(BlobPushes, a_store_behind_a_redirect_says_held_by_being_asked) {
  test::FakeUpstream store;
  store.on("", test::reply(403, ""));
  server.before_body("HEAD", test::reply(307, "", {{"Location", store.url() + "/x"}}), 1);
  options.private_network = PrivateNetwork::allowed;
  const auto taken = put(large);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->how, Taken::held);
}

TEST_F(BlobPushes, what_another_repository_has_is_mounted) {
  shelf.put_blob("library/base", large);
  auto offered = offer(large);
  offered.mount_from = {test::name("library/none"), test::name("library/base")};
  const auto taken = run(place().put_blob(app(), std::move(offered)));
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->how, Taken::mounted);
  EXPECT_EQ(stored(large), large);
  EXPECT_TRUE(openings->empty());
  EXPECT_EQ(shelf.open_uploads(), 0U);  // that of the first refusal was cancelled
}

TEST_F(BlobPushes, a_refused_mount_is_an_upload_already) {
  auto offered = offer(large);
  offered.mount_from = {test::name("library/none")};
  const auto taken = run(place().put_blob(app(), std::move(offered)));
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->how, Taken::moved);
  EXPECT_EQ(server.count("POST"), 1U);
}

// Rows: N-06
TEST_F(BlobPushes, goes_on_where_the_connection_broke) {
  server.before_body("PATCH", shelf.cut_after(2'500'000), 1);
  server.before_body("PATCH", shelf.cut_after(1'000'000), 1);
  const auto taken = put(large);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(stored(large), large);
  EXPECT_EQ(shelf.uploaded(), large.size());
  EXPECT_EQ(*openings, (Openings{0, 2'500'000, 3'500'000}));
  EXPECT_EQ(server.count("POST"), 1U);
}

// Rows: N-06
TEST_F(BlobPushes, does_not_try_for_ever_without_progress) {
  server.before_body("PATCH", shelf.cut_after(0));
  const auto taken = put(large);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, FailureKind::broken);
  EXPECT_LE(server.count("PATCH"), 8U);  // where nothing was taken curl tries each twice
}

// Rows: N-10
TEST_F(BlobPushes, a_later_push_goes_on_with_what_was_given_up) {
  options.retries = 0;
  server.before_body("PATCH", shelf.cut_after(5'000'000), 1);
  ASSERT_FALSE(put(large));
  const auto taken = put(large);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(stored(large), large);
  EXPECT_EQ(shelf.uploaded(), large.size());
  EXPECT_EQ(server.count("POST"), 1U);
}

TEST_F(BlobPushes, begins_anew_when_the_upload_is_gone) {
  server.before_body(
      "PATCH",
      [this](test::Exchange& exchange) {
        shelf.forget_uploads();
        exchange.reset();
      },
      1);
  const auto taken = put(large);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(stored(large), large);
  EXPECT_EQ(server.count("POST"), 2U);
}

TEST_F(BlobPushes, begins_anew_where_an_upload_tells_nothing) {
  server.before_body("PATCH", shelf.cut_after(1'000'000), 1);
  server.before_body("GET", test::reply(405, ""), 1);
  const auto taken = put(large);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(stored(large), large);
  EXPECT_EQ(server.count("POST"), 2U);
}

TEST_F(BlobPushes, sends_smaller_pieces_to_who_gathers_them) {
  const auto refuse_large = [this](test::Exchange& exchange) {
    if (std::stoul(exchange.request.header("Content-Length")) > 3'000'000)
      return test::reply(413, "")(exchange);
    shelf.answer(exchange);
  };
  server.before_body("PATCH", refuse_large, 1);
  const auto taken = put(large);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(stored(large), large);
  EXPECT_EQ(shelf.uploaded(), large.size());
  EXPECT_EQ(server.count("PATCH"), 5U);
}

TEST_F(BlobPushes, an_answer_that_was_lost_is_no_failure) {
  server.before_body(
      "&digest=",
      [this](test::Exchange& exchange) {
        shelf.put_blob("library/app", large);
        shelf.forget_uploads();
        exchange.reset();
      },
      1);
  const auto taken = put(large);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(shelf.uploaded(), large.size());
}

TEST_F(BlobPushes, content_that_is_not_its_digest_is_refused_once) {
  auto offered = offer(large);
  offered.digest = digest_of("something else");
  for (int i = 0; i < 2; ++i) {
    const auto taken = run(place().put_blob(app(), offered));
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().kind, FailureKind::broken);
    EXPECT_EQ(taken.error().message, "upstream lab: answered 400 (DIGEST_INVALID)");
  }
  EXPECT_EQ(server.count("PATCH"), 2U);
  EXPECT_EQ(shelf.open_uploads(), 0U);
}

async::Task<registry::Answer<registry::BlobContent>> refuse_to_open(registry::BlobStart) {
  co_return std::unexpected(registry::Failure{FailureKind::throttled, "not now"});
}

class Breaking final : public async::ByteSource {
 public:
  std::uint64_t size() const override { return 9'000'000; }
  async::Task<async::Chunk> read_at(std::uint64_t offset, std::uint64_t) override {
    if (offset > 0) throw oci::Refusal(oci::ErrorCode::upstream_timeout, "gone");
    co_return async::memory_chunk(test::noise(500'000, 3));
  }
};

async::Task<registry::Answer<registry::BlobContent>> open_breaking(registry::BlobStart) {
  co_return registry::BlobContent{std::make_unique<Breaking>()};
}

TEST_F(BlobPushes, who_offers_is_to_blame_for_its_failures) {
  auto offered = offer(large);
  offered.open = refuse_to_open;
  auto taken = run(place().put_blob(app(), offered));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, FailureKind::throttled);
  EXPECT_EQ(taken.error().message, "not now");
  offered.open = open_breaking;
  taken = run(place().put_blob(app(), offered));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, FailureKind::timeout);
  EXPECT_NE(taken.error().message.find("gone"), std::string::npos);
  ASSERT_TRUE(put(large));
  EXPECT_EQ(server.count("POST"), 1U);
}

async::Task<> put_and_count(registry::Sink& sink, oci::RepositoryName name,
                            registry::BlobOffer offer, std::vector<Taken>& taken) {
  const auto answer = co_await sink.put_blob(std::move(name), std::move(offer));
  if (answer) taken.push_back(answer->how);
}

TEST_F(BlobPushes, one_moves_it_and_all_are_answered) {
  std::vector<Taken> taken;
  std::vector<async::Task<>> tasks;
  for (const auto* name : {"library/app", "library/app", "library/app", "library/other"})
    tasks.push_back(put_and_count(place(), test::name(name), offer(large), taken));
  run(async::together(std::move(tasks)));
  EXPECT_EQ(taken, (std::vector{Taken::moved, Taken::held, Taken::held, Taken::mounted}));
  EXPECT_EQ(shelf.uploaded(), large.size());
}

}  // namespace
}  // namespace entrepot::upstream::blob_push_test
