// An upload is closed twice: the second request comes while the first is still putting the blob
// away (the client gave up waiting and asked again).
#include "uploads_house.hpp"

namespace entrepot::test::upload_finish_test {
namespace {

struct Outcome {
  bool ended = false;
  std::optional<Code> refused;
};

async::Task<> finish_in_background(registry::Uploads& uploads, UploadKey key, Pieces& body,
                                   std::optional<std::uint64_t> length, oci::Digest digest,
                                   Outcome& outcome) {
  try {
    co_await uploads.finish(std::move(key), {}, length, body.reader(), digest, actor("alice"));
  } catch (const oci::Refusal& refusal) {
    outcome.refused = refusal.code;
  }
  outcome.ended = true;
}

class FinishTwice : public Uploads {
 protected:
  // The first request has its lease and waits for the stripe, as it would for a slow disk; then
  // comes the second.
  void begin_both(const UploadKey& key) {
    stripe_.emplace(run(admission_.alone_with(digest_)));
    begin(key, whole_, {}, first_);
    context_.restart();
    while (!leases_.leased(digest_)) context_.run_one();
    begin(key, empty_, 0, second_);
    context_.poll();
    EXPECT_FALSE(second_.ended);
  }
  void end_both() {
    stripe_.reset();
    context_.restart();
    context_.run();
    EXPECT_TRUE(first_.ended && second_.ended);
  }

  const oci::Digest digest_ = digest_of("content");
  Outcome first_;
  Outcome second_;

 private:
  void begin(const UploadKey& key, Pieces& body, std::optional<std::uint64_t> length,
             Outcome& outcome) {
    async::spawn(context_.get_executor(),
                 finish_in_background(*uploads_, key, body, length, digest_, outcome), "finish");
  }

  Pieces whole_{{"content"}};
  Pieces empty_{{}};
  std::optional<registry::Admission::Stripe> stripe_;
};

// Rows: P-07
TEST_F(FinishTwice, both_are_answered_the_same) {
  const auto key = open();
  begin_both(key);
  EXPECT_EQ(refused_finish(key, digest_of("other")), Code::range_invalid) << "not the same";
  EXPECT_EQ(refused_append(key, {"more"})->code, Code::range_invalid);
  end_both();
  EXPECT_EQ(first_.refused, std::nullopt);
  EXPECT_EQ(second_.refused, std::nullopt);
  EXPECT_TRUE(pulls("app", digest_));
  EXPECT_EQ(uploads_->open_sessions(), 0U);
}

TEST_F(FinishTwice, the_second_tries_itself_when_the_first_could_not) {
  const auto key = open();
  begin_both(key);
  store_.refuse_commit(true);
  end_both();
  EXPECT_EQ(first_.refused, Code::storage_full);
  EXPECT_EQ(second_.refused, Code::storage_full);
  store_.refuse_commit(false);
  finish(key, digest_);
}

TEST_F(FinishTwice, both_hear_that_it_was_cancelled) {
  const auto key = open();
  begin_both(key);
  EXPECT_TRUE(run(uploads_->cancel(key)));
  end_both();
  EXPECT_EQ(first_.refused, Code::blob_upload_unknown);
  EXPECT_EQ(second_.refused, Code::blob_upload_unknown);
  EXPECT_EQ(files(), 0U);
}

// The room it had is taken by another way between the first look and the transaction.
TEST_F(FinishTwice, what_was_refused_in_the_end_is_not_promised) {
  const auto key = open();
  begin_both(key);
  registry::PolicyOptions options;
  options.quotas = {{.repositories = {"app"}, .bytes = 6}};
  set_policy(options);
  end_both();
  EXPECT_EQ(first_.refused, Code::denied);
  EXPECT_EQ(second_.refused, Code::blob_upload_unknown) << "refused for good, its bytes are gone";
  EXPECT_FALSE(leases_.leased(digest_));
  EXPECT_FALSE(store_.find(digest_));
}

}  // namespace
}  // namespace entrepot::test::upload_finish_test
