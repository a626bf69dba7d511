// What lies in open uploads counts against the quotas of bytes.
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include "uploads_house.hpp"

namespace entrepot::test::upload_quota_test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr std::uint64_t mebibyte = 1U << 20;

class UploadQuota : public Uploads {
 protected:
  UploadQuota() { allow(100); }

  void allow(std::uint64_t bytes) {
    registry::PolicyOptions options;
    options.quotas = {{.repositories = {"team/**"}, .bytes = bytes}};
    set_policy(options);
  }
  std::optional<Code> refused_bytes(const UploadKey& key, std::size_t count) {
    const auto refused = refused_append(key, {std::string(count, 'x')});
    return refused ? std::optional(refused->code) : std::nullopt;
  }
};

// Rows: P-12
TEST_F(UploadQuota, a_body_without_a_length_is_stopped_where_the_room_ends) {
  const auto key = open("team/a");
  const auto refused = refused_append(key, {std::string(60, 'a'), std::string(41, 'b')});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, Code::denied);
  EXPECT_EQ(refused->detail, "quota exceeded: 101 bytes, 100 allowed");
  EXPECT_EQ(offset(key), 60U) << "what came before is kept";
  EXPECT_EQ(append(key, {std::string(40, 'b')}, 60), 100U) << "exactly what fits";
  finish(key, digest_of(std::string(60, 'a') + std::string(40, 'b')));
  EXPECT_EQ(refused_open("team/b", "alice"), Code::denied) << "nothing more fits";
}

// Rows: P-12
TEST_F(UploadQuota, many_sessions_together_are_as_one) {
  const auto first = open("team/a");
  const auto second = open("team/b", "bob");
  append(first, {std::string(50, 'a')});
  append(second, {std::string(30, 'b')}, 0, 30);
  EXPECT_EQ(refused_bytes(first, 21), Code::denied);
  EXPECT_EQ(refused_append(second, {std::string(21, 'b')}, 30, 21)->code, Code::denied);
  EXPECT_EQ(refused_bytes(open("elsewhere"), 1000), std::nullopt);
  EXPECT_EQ(refused_bytes(second, 20), std::nullopt);
  EXPECT_EQ(refused_open("team/c", "carol"), Code::denied);
  run(uploads_->cancel(first));
  const auto again = open("team/c", "carol");
  finish(again, digest_of(std::string(50, 'c')), {std::string(50, 'c')});
}

// Rows: P-12
TEST_F(UploadQuota, what_is_promised_to_a_body_on_its_way_is_nobody_elses) {
  const auto key = open("team/a");
  const auto other = open("team/b", "bob");
  boost::asio::cancellation_signal leave;
  Pieces body({std::string(10, 'a')}, Pieces::Ending::stuck);
  std::optional<std::uint64_t> ignored;
  async::spawn_cancellable(context_.get_executor(),
                           append_in_background(*uploads_, key, body, ignored, 90), "announced",
                           leave.slot());
  context_.restart();
  while (!body.is_stuck()) context_.run_one();
  EXPECT_EQ(refused_bytes(other, 11), Code::denied);
  boost::asio::post(context_, [&] { leave.emit(boost::asio::cancellation_type::terminal); });
  context_.restart();
  context_.run();
  EXPECT_EQ(refused_bytes(other, 90), std::nullopt) << "it broke after ten bytes";
  EXPECT_EQ(refused_bytes(key, 1), Code::denied);
}

TEST_F(UploadQuota, every_way_a_session_ends_gives_its_room_back) {
  const std::string full(100, 'x');
  for (int round = 0; round < 2; ++round) {
    append(open("team/a"), {full});
    clock_.advance(hours(25));
    EXPECT_EQ(run(uploads_->sweep()).sessions, 1U);
    const auto cancelled = open("team/a");
    append(cancelled, {full});
    run(uploads_->cancel(cancelled));
    EXPECT_EQ(refused_finish(open("team/a"), digest_of("other"), {full}), Code::digest_invalid);
    store_.refuse_begin(true);
    EXPECT_EQ(refused_open("team/a", "alice"), Code::storage_full);
    store_.refuse_begin(false);
    finish(open("team/a"), digest_of(full), {full});
    run(writer_.delete_blob(name("team/a"), digest_of(full), actor("alice")));
  }
}

TEST_F(UploadQuota, a_session_that_is_left_counts_again) {
  const auto key = open("team/a");
  append(key, {std::string(80, 'x')});
  store_.refuse_commit(true);
  EXPECT_EQ(refused_finish(key, digest_of(std::string(80, 'x'))), Code::storage_full);
  store_.refuse_commit(false);
  EXPECT_EQ(refused_bytes(open("team/b"), 21), Code::denied);
  restart();
  EXPECT_EQ(refused_bytes(open("team/b"), 21), Code::denied) << "after a restart, too";
  finish(key, digest_of(std::string(80, 'x')));
  EXPECT_EQ(refused_bytes(open("team/b"), 20), std::nullopt);
}

TEST_F(UploadQuota, goes_on_when_there_is_room) {
  const auto old = digest_of(std::string(50, 'o'));
  finish(open("team/a"), old, {std::string(50, 'o')});
  const auto key = open("team/a");
  EXPECT_EQ(refused_finish(key, digest_of("x"), {std::string(51, 'x')}), Code::denied);
  EXPECT_EQ(offset(key), 0U);
  run(writer_.delete_blob(name("team/a"), old, actor("alice")));
  finish(key, digest_of(std::string(51, 'x')), {std::string(51, 'x')});
}

// A client that was refused seldom comes back to say that it gives up.
TEST_F(UploadQuota, what_was_stopped_expires_soon) {
  const auto stopped = open("team/a");
  append(stopped, {std::string(60, 'x')});
  EXPECT_EQ(refused_bytes(stopped, 60), Code::denied);
  const auto waiting = open("team/a");
  append(waiting, {std::string(10, 'x')});
  clock_.advance(minutes(10));
  EXPECT_EQ(run(uploads_->sweep()).sessions, 0U);
  clock_.advance(minutes(1));
  EXPECT_EQ(run(uploads_->sweep()).bytes, 60U);
  EXPECT_EQ(offset(waiting), 10U);
}

TEST_F(UploadQuota, what_the_repository_has_costs_nothing) {
  const std::string content(80, 'x');
  finish(open("team/a"), digest_of(content), {content});
  finish(open("team/a"), digest_of(content), {content});
  EXPECT_EQ(refused_finish(open("team/b"), digest_of(content), {content}), Code::denied);
}

// Asked for some MiB ahead where there is plenty, else piece by piece.
TEST_F(UploadQuota, large_bodies_end_at_the_same_byte) {
  allow(20 * mebibyte);
  const std::vector<std::string> pieces(20, std::string(mebibyte, 'x'));
  const auto key = open("team/a");
  EXPECT_EQ(append(key, pieces), 20 * mebibyte);
  EXPECT_EQ(refused_bytes(key, 1), Code::denied);
  allow(1000 * mebibyte);
  EXPECT_EQ(refused_bytes(key, 1), std::nullopt);
  allow(20 * mebibyte + 2);
  EXPECT_EQ(refused_bytes(key, 1), std::nullopt) << "nothing of what was reserved ahead is left";
}

}  // namespace
}  // namespace entrepot::test::upload_quota_test
