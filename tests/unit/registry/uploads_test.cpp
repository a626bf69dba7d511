#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include "uploads_house.hpp"

namespace entrepot::test::uploads_test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST_F(Uploads, a_blob_comes_in_piece_by_piece) {
  const auto key = open();
  EXPECT_EQ(offset(key), 0U);
  EXPECT_EQ(append(key, {"con", "te"}), 5U);
  EXPECT_EQ(offset(key), 5U);
  finish(key, digest_of("content"), {"nt"});
  EXPECT_TRUE(pulls("app", digest_of("content")));
  EXPECT_TRUE(leases_.leased(digest_of("content")));
  EXPECT_EQ(files(), 0U);
  EXPECT_EQ(uploads_->open_sessions(), 0U);
  EXPECT_EQ(events().back().kind, index::EventKind::push);
  EXPECT_EQ(events().back().digest, digest_of("content"));
}

TEST_F(Uploads, large_and_small_pieces_keep_their_order) {
  std::vector<std::string> pieces;
  std::string all;
  for (unsigned i = 0; i < 60; ++i) {
    pieces.push_back(noise(i % 7 == 0 ? 256 * 1024 : 1 + i * 997, i));
    all += pieces.back();
  }
  const auto key = open();
  EXPECT_EQ(append(key, pieces), all.size());
  finish(key, digest_of(all));
  EXPECT_EQ(run(local_.stat(name("app"), digest_of(all))).value().size, all.size());
}

// Rows: P-05
TEST_F(Uploads, a_session_is_its_owners_in_its_repository) {
  const auto key = open("app", "alice");
  append(key, {"con"});
  const UploadKey strangers[] = {
      {name("app"), "bob", key.id}, {name("other"), "alice", key.id}, {name("app"), "", key.id}};
  for (const auto& stranger : strangers) {
    EXPECT_EQ(offset(stranger), std::nullopt);
    EXPECT_EQ(refused_append(stranger, {"evil"})->code, Code::blob_upload_unknown);
    EXPECT_EQ(refused_finish(stranger, digest_of("con")), Code::blob_upload_unknown);
    EXPECT_FALSE(run(uploads_->cancel(stranger)));
  }
  finish(key, digest_of("content"), {"tent"});
  EXPECT_TRUE(pulls("app", digest_of("content")));
  EXPECT_FALSE(linked("other", digest_of("content")));
}

// Rows: P-06
TEST_F(Uploads, whatever_else_stands_for_an_id_is_unknown) {
  const auto key = open();
  EXPECT_EQ(key.id.size(), 32U);
  EXPECT_TRUE(base::from_hex(key.id));
  EXPECT_NE(open().id, key.id);
  for (const auto& id : {std::string("../x"), std::string(), std::string(10'240, 'a'),
                         std::string(32, 'z'), std::string(32, '0'), key.id + ".session"}) {
    const UploadKey forged{name("app"), "alice", id};
    EXPECT_EQ(offset(forged), std::nullopt);
    EXPECT_EQ(refused_append(forged, {"x"})->code, Code::blob_upload_unknown);
    EXPECT_FALSE(run(uploads_->cancel(forged)));
  }
}

// Rows: P-07
TEST_F(Uploads, of_two_writers_at_once_one_goes_on) {
  const auto key = open();
  boost::asio::cancellation_signal leave;
  Pieces first({noise(300'000)}, Pieces::Ending::stuck);
  std::optional<std::uint64_t> ignored;
  async::spawn_cancellable(context_.get_executor(),
                           append_in_background(*uploads_, key, first, ignored), "first",
                           leave.slot());
  context_.restart();
  while (!first.is_stuck()) context_.run_one();
  const auto refused = refused_append(key, {"second"}, 0);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, Code::range_invalid);
  EXPECT_EQ(refused->upload_offset, 300'000U);
  boost::asio::post(context_, [&] { leave.emit(boost::asio::cancellation_type::terminal); });
  context_.restart();
  context_.run();
  finish(key, digest_of(noise(300'000) + "end"), {"end"});
}

// Rows: P-08
TEST_F(Uploads, a_chunk_out_of_order_is_told_where_to_go_on) {
  const auto key = open();
  const auto first = refused_append(key, {"x"}, 1);
  EXPECT_EQ(first->code, Code::range_invalid);
  EXPECT_EQ(first->upload_offset, 0U);
  append(key, {"con"}, 0, 3);
  for (const std::uint64_t at : {0U, 2U, 4U}) {
    const auto refused = refused_append(key, {"x"}, at);
    EXPECT_EQ(refused->code, Code::range_invalid) << at;
    EXPECT_EQ(refused->upload_offset, 3U);
  }
  EXPECT_EQ(append(key, {"tent"}, 3, 4), 7U);
  finish(key, digest_of("content"));
}

// Rows: P-08
TEST_F(Uploads, a_body_of_another_length_than_announced_is_told) {
  const auto key = open();
  EXPECT_EQ(refused_append(key, {"con"}, 0, 5)->code, Code::size_invalid);
  EXPECT_EQ(offset(key), 3U) << "it came, and is kept";
  EXPECT_EQ(refused_append(key, {"tent and more"}, 3, 4)->code, Code::size_invalid);
  EXPECT_EQ(offset(key), 7U) << "what is too much is not taken";
  finish(key, digest_of("content"));
}

// Rows: P-09
TEST_F(Uploads, another_digest_than_that_of_the_bytes_ends_the_session) {
  const auto key = open();
  EXPECT_EQ(refused_finish(key, digest_of("content"), {"other"}), Code::digest_invalid);
  EXPECT_EQ(offset(key), std::nullopt);
  EXPECT_EQ(files(), 0U);
  EXPECT_FALSE(store_.find(digest_of("content")));
  EXPECT_FALSE(store_.find(digest_of("other")));
}

// Rows: M-04, P-09
TEST_F(Uploads, a_digest_of_another_algorithm_is_computed_from_the_bytes) {
  const auto sha512 = oci::Digest::of(oci::Algorithm::sha512, base::as_bytes("content"));
  const auto key = open();
  finish(key, sha512, {"content"});
  EXPECT_TRUE(pulls("app", sha512));
  EXPECT_FALSE(pulls("app", digest_of("content")));
  const auto other = open("app", "alice", oci::Algorithm::sha512);
  finish(other, digest_of("content"), {"content"});
  EXPECT_TRUE(pulls("app", digest_of("content")));
}

// Rows: D-01, P-11
TEST_F(Uploads, goes_on_after_the_connection_broke) {
  const auto key = open();
  Pieces large({noise(300'000), "and a little"}, Pieces::Ending::cut);
  EXPECT_THROW(run(uploads_->append(key, {}, {}, large.reader())), std::runtime_error);
  EXPECT_EQ(offset(key), 300'012U) << "what had arrived is kept";
  finish(key, digest_of(noise(300'000) + "and a little more"), {" more"});
}

TEST_F(Uploads, goes_on_after_its_client_left) {
  const auto key = open();
  boost::asio::cancellation_signal leave;
  Pieces body({"con", "te"}, Pieces::Ending::stuck);
  std::optional<std::uint64_t> ignored;
  async::spawn_cancellable(context_.get_executor(),
                           append_in_background(*uploads_, key, body, ignored), "leaver",
                           leave.slot());
  context_.restart();
  while (!body.is_stuck()) context_.run_one();
  boost::asio::post(context_, [&] { leave.emit(boost::asio::cancellation_type::terminal); });
  context_.restart();
  context_.run();
  EXPECT_EQ(offset(key), 5U);
  finish(key, digest_of("content"), {"nt"});
}

// Rows: D-01
TEST_F(Uploads, goes_on_after_a_restart) {
  const auto key = open("app", "a user\nof two lines");
  append(key, {"con"});
  clock_.advance(hours(1));
  restart();
  EXPECT_EQ(offset(key), 3U);
  EXPECT_EQ(uploads_->open_sessions(), 1U);
  finish(key, digest_of("content"), {"tent"});
  EXPECT_TRUE(pulls("app", digest_of("content")));
}

TEST_F(Uploads, a_lost_answer_may_be_asked_for_again) {
  const auto key = open();
  finish(key, digest_of("content"), {"content"});
  EXPECT_EQ(refused_finish(key, digest_of("content")), std::nullopt);
  EXPECT_EQ(refused_finish(key, digest_of("other")), Code::blob_upload_unknown);
  const UploadKey stranger{key.repository, "bob", key.id};
  EXPECT_EQ(refused_finish(stranger, digest_of("content")), Code::blob_upload_unknown);
  run(writer_.delete_blob(name("app"), digest_of("content"), actor("alice")));
  EXPECT_EQ(refused_finish(key, digest_of("content")), Code::blob_upload_unknown);
}

TEST_F(Uploads, a_cancelled_session_is_gone) {
  const auto key = open();
  append(key, {"con"});
  EXPECT_TRUE(run(uploads_->cancel(key)));
  EXPECT_FALSE(run(uploads_->cancel(key)));
  EXPECT_EQ(offset(key), std::nullopt);
  EXPECT_EQ(files(), 0U);
}

TEST_F(Uploads, a_session_cancelled_under_its_writer_ends_with_the_next_piece) {
  const auto key = open();
  boost::asio::cancellation_signal leave;
  Pieces body({noise(300'000)}, Pieces::Ending::stuck);
  std::optional<std::uint64_t> ignored;
  async::spawn_cancellable(context_.get_executor(),
                           append_in_background(*uploads_, key, body, ignored), "writer",
                           leave.slot());
  context_.restart();
  while (!body.is_stuck()) context_.run_one();
  EXPECT_TRUE(run(uploads_->cancel(key)));
  EXPECT_EQ(offset(key), std::nullopt);
  boost::asio::post(context_, [&] { leave.emit(boost::asio::cancellation_type::terminal); });
  context_.restart();
  context_.run();
  EXPECT_EQ(files(), 0U);
  EXPECT_EQ(uploads_->open_sessions(), 0U);
}

// Rows: P-11
TEST_F(Uploads, idle_sessions_are_removed_and_no_others) {
  const auto idle = open();
  append(idle, {"12345"});
  clock_.advance(hours(23));
  const auto young = open();
  EXPECT_EQ(run(uploads_->sweep()).sessions, 0U);
  clock_.advance(hours(1) + milliseconds(1));
  const auto swept = run(uploads_->sweep());
  EXPECT_EQ(swept.sessions, 1U);
  EXPECT_EQ(swept.bytes, 5U);
  EXPECT_EQ(offset(idle), std::nullopt);
  EXPECT_EQ(offset(young), 0U);
  EXPECT_EQ(files(), 1U);
}

// Rows: P-12
TEST_F(Uploads, so_many_sessions_and_no_more) {
  limit_uploads({.per_principal = 2, .total = 4});
  const auto first = open("app", "alice");
  open("other", "alice");
  const auto third = refusal(uploads_->open(name("app"), "alice", oci::Algorithm::sha256));
  ASSERT_TRUE(third);
  EXPECT_EQ(third->code, Code::too_many_requests);
  EXPECT_TRUE(third->retry_after);
  open("app", "");
  open("app", "");
  EXPECT_EQ(refused_open("app", "bob"), Code::too_many_requests) << "in all";
  run(uploads_->cancel(first));
  EXPECT_EQ(refused_open("app", "alice"), std::nullopt);
  EXPECT_EQ(uploads_->open_sessions(), 4U);
}

// Rows: P-11, P-12
TEST_F(Uploads, every_way_a_session_ends_gives_its_place_back) {
  limit_uploads({.per_principal = 1, .total = 1});
  finish(open(), digest_of("a"), {"a"});
  EXPECT_EQ(refused_finish(open(), digest_of("a"), {"b"}), Code::digest_invalid);
  run(uploads_->cancel(open()));
  open();
  clock_.advance(hours(25));
  EXPECT_EQ(run(uploads_->sweep()).sessions, 1U);
  store_.refuse_begin(true);
  EXPECT_EQ(refused_open("app", "alice"), Code::storage_full);
  store_.refuse_begin(false);
  open();
  EXPECT_EQ(uploads_->open_sessions(), 1U);
}

// Rows: P-12
TEST_F(Uploads, a_quota_counts_sessions_of_all_that_match) {
  registry::PolicyOptions options;
  options.quotas = {{.repositories = {"team/**"}, .uploads = 2}};
  set_policy(options);
  open("team/a", "alice");
  const auto second = open("team/b", "bob");
  EXPECT_EQ(refused_open("team/c", "carol"), Code::denied);
  EXPECT_EQ(refused_open("elsewhere", "carol"), std::nullopt);
  run(uploads_->cancel(second));
  EXPECT_EQ(refused_open("team/c", "carol"), std::nullopt);
}

// Rows: D-07
TEST_F(Uploads, a_full_disk_is_told_and_the_session_goes_on_when_there_is_room) {
  const auto key = open();
  append(key, {"con"});
  store_.full_after(0);
  EXPECT_EQ(refused_append(key, {"tent"})->code, Code::storage_full);
  EXPECT_EQ(offset(key), 3U);
  store_.full_after(1000);
  store_.refuse_commit(true);
  EXPECT_EQ(refused_finish(key, digest_of("content"), {"tent"}), Code::storage_full);
  store_.refuse_commit(false);
  finish(key, digest_of("content"));
  EXPECT_TRUE(pulls("app", digest_of("content")));
}

// Rows: C-15
TEST_F(Uploads, a_push_of_what_is_here_is_verified_and_mends) {
  const auto digest = push_blob("other", "content");
  store_.put(digest, "rotten!");
  EXPECT_EQ(refused_finish(open(), digest, {"CONTENT"}), Code::digest_invalid);
  EXPECT_FALSE(linked("app", digest));
  finish(open(), digest, {"content"});
  EXPECT_TRUE(linked("app", digest));
  EXPECT_EQ(run(store_.resume_upload("none", oci::Algorithm::sha256)), nullptr);
  EXPECT_TRUE(pulls("other", digest));
}

// Rows: C-16
TEST_F(Uploads, nothing_is_taken_for_a_mirrored_repository_or_while_read_only) {
  mirror_blob("hub/library/app", "content");
  EXPECT_EQ(refused_open("hub/library/app", "alice"), Code::unsupported);
  run(facts_.write([](index::Batch& batch) {
    index::unlink(batch, name("hub/library/app"), digest_of("content"));
  }));
  EXPECT_EQ(refused_open("hub/library/app", "alice"), Code::unsupported) << "its name is left";
  const auto key = open();
  policy_.set_read_only(true);
  EXPECT_EQ(refused_open("app", "alice"), Code::denied);
  EXPECT_EQ(refused_append(key, {"x"})->code, Code::denied);
  EXPECT_EQ(refused_finish(key, digest_of("")), Code::denied);
  EXPECT_TRUE(run(uploads_->cancel(key)));
}

}  // namespace
}  // namespace entrepot::test::uploads_test
