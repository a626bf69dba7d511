// One download per digest: streaming, verification, every way it can end.
#include <gtest/gtest.h>

#include <future>

#include "mirror_house.hpp"

namespace entrepot::test::fill_test {
namespace {

constexpr std::uint64_t big = 1'000'000;
constexpr std::uint64_t tail = 64 * 1024;

class Fill : public MirrorHouse {
 protected:
  // A blob sent as fast as its Valve opens.
  oci::Digest put_behind(std::shared_ptr<Valve> valve, const std::string& bytes) {
    const auto digest = digest_of(bytes);
    upstream_.put_blob("app", digest, BlobPlan{.bytes = bytes, .valve = std::move(valve)});
    return digest;
  }
};

TEST_F(Fill, stores_what_it_passes_on) {
  const auto bytes = noise(big);
  const auto digest = upstream_.put_blob("app", bytes);
  auto first = open("app", digest);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->provenance.outcome, Outcome::fetched);
  EXPECT_EQ(first->provenance.upstream, "hub");
  EXPECT_EQ(run(drain(*first->bytes)).bytes, bytes);
  settle();
  EXPECT_TRUE(stored(digest));
  auto second = open("app", digest);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->provenance.outcome, Outcome::hit);
  EXPECT_EQ(run(drain(*second->bytes)).bytes, bytes);
  EXPECT_EQ(upstream_.count(Verb::opening), 1);
  EXPECT_TRUE(counted(R"(entrepot_fills_total{outcome="stored",upstream="hub"} 1)"))
      << metrics_.render();
}

TEST_F(Fill, of_nothing_is_complete) {
  const auto digest = upstream_.put_blob("app", "");
  auto content = open("app", digest);
  ASSERT_TRUE(content);
  EXPECT_EQ(content->bytes->size(), 0U);
  settle();
  EXPECT_TRUE(stored(digest));
}

TEST_F(Fill, streams_before_the_end_but_withholds_the_tail) {
  const auto valve = std::make_shared<Valve>();
  const auto bytes = noise(big);
  const auto digest = put_behind(valve, bytes);
  valve->open_to(big / 2);
  auto content = open("app", digest);
  ASSERT_TRUE(content);
  EXPECT_EQ(content->bytes->size(), big);
  std::string got;
  while (got.size() < big / 2) {
    got += text_of(run(content->bytes->read_at(got.size(), big)));
  }
  EXPECT_EQ(got, bytes.substr(0, big / 2));
  valve->open_to(big - 1);
  while (got.size() < big - tail) {
    got += text_of(run(content->bytes->read_at(got.size(), big)));
  }
  EXPECT_EQ(got.size(), big - tail) << "not a byte of the tail before the digest is proven";
  valve->open();
  EXPECT_EQ(run(drain(*content->bytes, got.size())).bytes, bytes.substr(got.size()));
  settle();
}

// Rows: C-01
TEST_F(Fill, wrong_bytes_never_complete_and_never_stay) {
  unsigned seed = 0;
  for (const std::size_t size : {1UL, 100UL, tail, tail + 1, 3 * tail, big}) {
    const auto bytes = noise(size, ++seed);
    auto wrong = bytes;
    wrong.back() = static_cast<char>(wrong.back() ^ 1);
    const auto digest = digest_of(bytes);
    upstream_.put_blob("app", digest, BlobPlan{.bytes = wrong});
    const auto body = pull("app", digest);
    EXPECT_FALSE(body.complete) << size;
    EXPECT_LT(body.bytes.size(), size);
    settle();
    EXPECT_FALSE(stored(digest));
    EXPECT_EQ(site_.store.partial(digest), std::nullopt) << "bytes proven wrong are not kept";
    EXPECT_TRUE(counted("entrepot_upstream_digest_mismatch_total{upstream=\"hub\"} " +
                        std::to_string(seed)));
    upstream_.put_blob("app", bytes);
    EXPECT_EQ(pull("app", digest).bytes, bytes) << "the next pull fetches again";
    settle();
  }
}

// Rows: C-01
TEST_F(Fill, small_wrong_blobs_are_refused_before_the_first_byte) {
  const auto digest = digest_of("right");
  upstream_.put_blob("app", digest, BlobPlan{.bytes = "wrong"});
  EXPECT_EQ(failed(open("app", digest)), FailureKind::broken);
}

// Rows: C-02, C-09
TEST_F(Fill, when_upstream_breaks_all_followers_err_and_the_next_resumes) {
  const auto bytes = noise(big);
  const auto digest = digest_of(bytes);
  const auto valve = std::make_shared<Valve>();
  upstream_.put_blob("app", digest,
                     BlobPlan{.bytes = bytes, .valve = valve, .break_at = big / 2, .breaks = 1});
  valve->open_to(big / 4);
  auto first = open("app", digest);
  auto second = open("app", digest);
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->provenance.outcome, Outcome::collapsed);
  valve->open();
  EXPECT_FALSE(run(drain(*first->bytes)).complete);
  EXPECT_FALSE(run(drain(*second->bytes)).complete);
  EXPECT_EQ(site_.store.partial(digest), big / 2);
  EXPECT_EQ(pull("app", digest).bytes, bytes);
  EXPECT_EQ(upstream_.starts(), (std::vector<std::uint64_t>{0, big / 2}));
  settle();
  EXPECT_TRUE(stored(digest));
}

// Rows: C-10
TEST_F(Fill, resumes_what_an_earlier_run_left) {
  const auto bytes = noise(big);
  const auto digest = upstream_.put_blob("app", bytes);
  site_.store.leave_partial(digest, std::string_view(bytes).substr(0, 700'001));
  EXPECT_EQ(pull("app", digest).bytes, bytes);
  EXPECT_EQ(upstream_.starts(), std::vector<std::uint64_t>{700'001});
}

// Rows: C-03, C-10
TEST_F(Fill, starts_over_when_what_was_left_is_wrong) {
  const auto bytes = noise(big);
  const auto digest = upstream_.put_blob("app", bytes);
  site_.store.leave_partial(digest, noise(700'001, 99));
  const auto body = pull("app", digest);
  EXPECT_TRUE(body.bytes == bytes || !body.complete);
  settle();
  EXPECT_TRUE(stored(digest));
  EXPECT_EQ(pull("app", digest).bytes, bytes);
  EXPECT_EQ(upstream_.starts(), (std::vector<std::uint64_t>{700'001, 0}));
}

// Rows: C-03
TEST_F(Fill, starts_over_when_what_was_left_is_longer_than_the_blob) {
  const auto bytes = noise(big);
  const auto digest = upstream_.put_blob("app", bytes);
  site_.store.leave_partial(digest, noise(big + 5, 99));
  EXPECT_EQ(pull("app", digest).bytes, bytes);
}

// Rows: C-10
TEST_F(Fill, asks_for_no_byte_when_all_are_there) {
  const auto bytes = noise(big);
  const auto digest = upstream_.put_blob("app", bytes);
  site_.store.leave_partial(digest, bytes);
  EXPECT_EQ(pull("app", digest).bytes, bytes);
  EXPECT_EQ(upstream_.count(Verb::opening), 0);
  EXPECT_EQ(upstream_.count(Verb::stating), 1) << "but whether this repository may have it";
}

async::Task<> take(registry::Source& source, oci::Digest digest, std::optional<Body>& taken) {
  auto content = co_await source.blob(name("app"), digest);
  taken = content ? co_await drain(*content->bytes) : Body{};
}

async::Task<> occupy(async::BlockingPool& pool, std::shared_future<void> until) {
  co_await pool.run([&] { until.wait(); });
}

// Rows: C-09
TEST_F(Fill, who_waits_for_an_ending_fill_does_not_care_for_others_that_end) {
  const auto bytes = noise(big);
  const auto digest = digest_of(bytes);
  upstream_.put_blob("app", digest, BlobPlan{.bytes = bytes, .break_at = big / 2, .breaks = 1});
  std::promise<void> storable;
  const auto executor = context_.get_executor();
  async::spawn(executor, occupy(pool_, storable.get_future().share()), "test");
  std::optional<Body> first;
  std::optional<Body> second;
  async::spawn(executor, take(hub(), digest, first), "test");
  context_.restart();
  context_.poll();
  ASSERT_EQ(upstream_.count(Verb::opening), 1);
  async::spawn(executor, take(hub(), digest, second), "test");
  for (unsigned i = 0; i < 20; ++i) {
    EXPECT_TRUE(pull("app", upstream_.put_blob("app", noise(100, i))).complete);
  }
  EXPECT_FALSE(second);
  storable.set_value();
  for (int i = 0; i < 500 && !second; ++i) {
    context_.restart();
    context_.run_for(milliseconds(10));
  }
  ASSERT_TRUE(second);
  EXPECT_EQ(second->bytes, bytes);
}

// Rows: C-10
TEST_F(Fill, a_file_without_a_record_is_recorded_once_earned) {
  const auto bytes = noise(big);
  const auto digest = upstream_.put_blob("app", bytes);
  site_.store.put(digest, bytes);
  EXPECT_EQ(failed(open("stranger", digest)), FailureKind::absent);
  EXPECT_EQ(pull("app", digest).bytes, bytes);
  settle();
  EXPECT_EQ(upstream_.count(Verb::opening), 0);
  EXPECT_EQ(open("app", digest)->provenance.outcome, Outcome::hit);
}

// Rows: C-03
TEST_F(Fill, a_wrong_file_without_a_record_is_replaced) {
  const auto bytes = noise(big);
  const auto digest = upstream_.put_blob("app", bytes);
  site_.store.put(digest, noise(big, 99));
  EXPECT_EQ(pull("app", digest).bytes, bytes);
  settle();
  EXPECT_EQ(upstream_.count(Verb::opening), 1);
}

// Rows: C-08
TEST_F(Fill, goes_on_when_the_first_reader_leaves) {
  const auto valve = std::make_shared<Valve>();
  const auto bytes = noise(big);
  const auto digest = put_behind(valve, bytes);
  valve->open_to(200'000);
  auto leader = open("app", digest);
  auto follower = open("app", digest);
  ASSERT_TRUE(leader);
  ASSERT_TRUE(follower);
  run(leader->bytes->read_at(0, 1000));
  leader->bytes.reset();
  valve->open();
  EXPECT_EQ(run(drain(*follower->bytes)).bytes, bytes);
  EXPECT_EQ(upstream_.count(Verb::opening), 1);
  settle();
}

// Rows: C-08
TEST_F(Fill, finishes_when_everybody_left) {
  const auto valve = std::make_shared<Valve>();
  const auto digest = put_behind(valve, noise(big));
  valve->open_to(200'000);
  ASSERT_TRUE(open("app", digest)) << "and gone at the end of this line";
  valve->open();
  settle();
  EXPECT_TRUE(stored(digest));
}

class EconomicalFill : public Fill {
 protected:
  EconomicalFill() { mirrors_.push_back(mirror::make_mirror(options_, upstream_, economical_)); }
  void settle_all() { run(until_no_fills(economical_.state())); }

  mirror::FillTable economical_{collaborators(), mirror::AbandonedFill::economical};
};

// Rows: C-08
TEST_F(EconomicalFill, stops_when_much_is_left_and_nobody_waits) {
  const auto valve = std::make_shared<Valve>();
  const auto digest = digest_of("200 MiB of zeros, never seen whole");
  upstream_.put_blob("app", digest, BlobPlan{.bytes = "", .size = 200U << 20U, .valve = valve});
  valve->open_to(200'000);
  auto content = open("app", digest);
  ASSERT_TRUE(content);
  valve->open_to(300'000);
  run(content->bytes->read_at(250'000, 1));
  content->bytes.reset();
  valve->open_to(400'000);
  settle_all();
  EXPECT_GE(site_.store.partial(digest).value_or(0), 300'000U);
  EXPECT_TRUE(counted(R"(entrepot_fills_total{outcome="abandoned",upstream="hub"} 1)"));
}

// Rows: C-08
TEST_F(EconomicalFill, finishes_when_little_is_left) {
  const auto valve = std::make_shared<Valve>();
  const auto digest = put_behind(valve, noise(big));
  valve->open_to(200'000);
  ASSERT_TRUE(open("app", digest));
  valve->open();
  settle_all();
  EXPECT_TRUE(stored(digest));
}

// Rows: C-10
TEST_F(Fill, stop_keeps_what_there_is_and_cuts_followers_off) {
  const auto valve = std::make_shared<Valve>();
  const auto bytes = noise(big);
  const auto digest = put_behind(valve, bytes);
  valve->open_to(300'000);
  auto content = open("app", digest);
  ASSERT_TRUE(content);
  run(content->bytes->read_at(200'000, 1));
  run(fills_.stop());
  EXPECT_FALSE(run(drain(*content->bytes)).complete);
  EXPECT_EQ(site_.store.partial(digest), 300'000U);
  EXPECT_THROW(open("app", digest), oci::Refusal);
  valve->open();
  context_.restart();
  context_.poll();
  EXPECT_EQ(site_.store.partial(digest), 300'000U)
      << "a transfer that comes back later does nothing";
}

TEST_F(Fill, a_refusal_of_upstream_reaches_everybody) {
  const auto digest = upstream_.put_blob("app", noise(100));
  for (const auto kind :
       {FailureKind::denied, FailureKind::throttled, FailureKind::timeout, FailureKind::broken}) {
    upstream_.fail(Verb::opening, kind);
    EXPECT_EQ(failed(open("app", digest)), kind);
  }
  upstream_.calm();
  EXPECT_TRUE(pull("app", digest).complete);
}

// Rows: C-12, C-23
TEST_F(Fill, absent_is_remembered_briefly_and_only_by_this_mirror) {
  const auto bytes = noise(100);
  const auto digest = digest_of(bytes);
  ScriptedSource other;
  auto& mirror = hub();
  auto& another = add_mirror({.name = "other"}, other);
  EXPECT_EQ(failed(run(mirror.blob(name("app"), digest))), FailureKind::absent);
  upstream_.put_blob("app", bytes);
  other.put_blob("app", bytes);
  EXPECT_EQ(failed(run(mirror.blob(name("app"), digest))), FailureKind::absent);
  EXPECT_EQ(upstream_.count(Verb::opening), 1);
  EXPECT_TRUE(run(another.blob(name("app"), digest)));
  settle();
  clock_.advance(seconds(10));
  EXPECT_TRUE(run(mirror.blob(name("app"), digest)));
}

TEST_F(Fill, ranges_are_served_as_soon_as_their_bytes_are_there) {
  const auto valve = std::make_shared<Valve>();
  const auto bytes = noise(big);
  const auto digest = put_behind(valve, bytes);
  valve->open_to(500'000);
  auto content = open("app", digest);
  ASSERT_TRUE(content);
  EXPECT_EQ(text_of(run(content->bytes->read_at(400'000, 100))), bytes.substr(400'000, 100));
  EXPECT_EQ(text_of(run(content->bytes->read_at(100, 100))), bytes.substr(100, 100));
  valve->open();
  EXPECT_EQ(text_of(run(content->bytes->read_at(big - 1, 1))), bytes.substr(big - 1));
  settle();
}

// Rows: C-07
TEST_F(Fill, one_who_waits_too_long_is_told_to_come_again_and_joins_it_then) {
  options_.patience = milliseconds(30);
  const auto valve = std::make_shared<Valve>();
  const auto bytes = noise(big);
  const auto digest = put_behind(valve, bytes);
  const auto first = open("app", digest);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().kind, FailureKind::busy);
  EXPECT_TRUE(first.error().retry_after);
  valve->open_to(100'000);
  context_.restart();
  context_.poll();
  auto second = open("app", digest);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->provenance.outcome, Outcome::collapsed);
  valve->open();
  EXPECT_EQ(run(drain(*second->bytes)).bytes, bytes);
  EXPECT_EQ(upstream_.count(Verb::opening), 1);
  settle();
  EXPECT_TRUE(stored(digest));
}

// Rows: C-11
TEST_F(Fill, a_full_disk_does_not_keep_the_bytes_from_the_clients) {
  const auto bytes = noise(big);
  const auto digest = upstream_.put_blob("app", bytes);
  const auto valve = std::make_shared<Valve>();
  put_behind(valve, bytes);
  site_.store.full_after(400'000);
  valve->open_to(100'000);
  auto first = open("app", digest);
  auto second = open("app", digest);
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  valve->open();
  EXPECT_EQ(run(drain(*first->bytes)).bytes, bytes);
  EXPECT_EQ(run(drain(*second->bytes)).bytes, bytes);
  EXPECT_FALSE(stored(digest));
  EXPECT_EQ(site_.store.partials(), 0U);
  EXPECT_TRUE(counted(R"(entrepot_fills_total{outcome="unstorable",upstream="hub"} 1)"));
}

// Rows: C-11
TEST_F(Fill, a_disk_without_any_room_passes_blobs_through) {
  const auto bytes = noise(big);
  const auto digest = upstream_.put_blob("app", bytes);
  for (const bool at_begin : {true, false}) {
    site_.store.refuse_begin(at_begin);
    if (!at_begin) site_.store.full_after(0);
    auto content = open("app", digest);
    ASSERT_TRUE(content);
    EXPECT_EQ(content->provenance.outcome, Outcome::passed);
    EXPECT_EQ(run(drain(*content->bytes)).bytes, bytes);
    EXPECT_FALSE(stored(digest));
  }
}

// Rows: C-11, C-01
TEST_F(Fill, bytes_passed_through_are_proven_too) {
  for (const std::size_t size : {100UL, tail, tail + 1, big}) {
    const auto bytes = noise(size);
    auto wrong = bytes;
    wrong.front() = static_cast<char>(wrong.front() ^ 1);
    upstream_.put_blob("app", digest_of(bytes), BlobPlan{.bytes = wrong});
    site_.store.full_after(size / 3);
    const auto body = pull("app", digest_of(bytes));
    EXPECT_FALSE(body.complete) << size;
    EXPECT_LE(body.bytes.size(), size > tail ? size - tail : 0);
  }
}

// Reads of a body, as a request for several ranges makes them; false when it was cut off.
async::Task<bool> read_all(async::ByteSource& source,
                           std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges) {
  try {
    for (auto [offset, end] : ranges) {
      while (offset < end) {
        offset += async::length_of(co_await source.read_at(offset, end - offset));
      }
    }
  } catch (const oci::Refusal&) {
    co_return false;
  }
  co_return true;
}

// Rows: C-11, C-01
TEST_F(Fill, ranges_passed_through_in_any_order_never_make_an_unproven_body) {
  const auto bytes = noise(big);
  auto wrong = bytes;
  wrong.front() = static_cast<char>(wrong.front() ^ 1);
  const auto digest = digest_of(bytes);
  const auto turn = [&](const std::string& first, const std::string& later,
                        std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges) {
    upstream_.put_blob("app", digest, BlobPlan{.bytes = first});
    site_.store.full_after(0);
    auto content = open("app", digest);
    upstream_.put_blob("app", digest, BlobPlan{.bytes = later});
    return content && run(read_all(*content->bytes, std::move(ranges)));
  };
  EXPECT_TRUE(turn(bytes, bytes, {{0, 500'000}, {100, big}})) << "going back";
  EXPECT_TRUE(turn(bytes, bytes, {{0, 300'000}, {200'000, 400'000}, {100, big}}));
  EXPECT_FALSE(turn(wrong, bytes, {{0, 500'000}, {100, big}})) << "the head was another's";
  EXPECT_FALSE(turn(bytes, wrong, {{0, 500'000}, {100, big}}));
  EXPECT_FALSE(turn(bytes, wrong, {{500'000, big}, {0, 500'000}})) << "the tail was another's";
}

// Rows: C-11
TEST_F(Fill, the_disk_may_fill_up_inside_the_tail) {
  const auto bytes = noise(big);
  const auto digest = upstream_.put_blob("app", bytes);
  site_.store.full_after(big - 1000);
  EXPECT_EQ(pull("app", digest).bytes, bytes);
  EXPECT_FALSE(stored(digest));
}

// Rows: C-11
TEST_F(Fill, a_commit_that_fails_is_no_matter_to_the_client) {
  const auto bytes = noise(big);
  const auto digest = upstream_.put_blob("app", bytes);
  site_.store.refuse_commit(true);
  EXPECT_EQ(pull("app", digest).bytes, bytes);
  settle();
  EXPECT_FALSE(stored(digest));
  site_.store.refuse_commit(false);
  EXPECT_EQ(pull("app", digest).bytes, bytes);
  settle();
  EXPECT_TRUE(stored(digest));
}

class RefusingIndex : public MemoryIndex {
 public:
  void refuse(std::exception_ptr with) { with_ = std::move(with); }

 protected:
  async::Task<> run_write(std::function<void(index::Batch&)> work) override {
    if (with_) std::rethrow_exception(with_);
    co_await MemoryIndex::run_write(std::move(work));
  }

 private:
  std::exception_ptr with_;
};

// Rows: C-11
TEST_F(Fill, held_bytes_that_cannot_be_linked_are_passed_on) {
  RefusingIndex facts;
  registry::Admission admission(facts, site_.store, clock_, metrics_);
  mirror::FillTable fills({facts, site_.store, admission, pool_, clock_, metrics_},
                          mirror::AbandonedFill::finish);
  const auto mirror = mirror::make_mirror(options_, upstream_, fills);
  const auto bytes = noise(big);
  const auto digest = upstream_.put_blob("app", bytes);
  upstream_.put_blob("other", bytes);
  std::optional<Body> first;
  run(take(*mirror, digest, first));
  run(until_no_fills(fills.state()));
  for (const auto& refusal :
       {std::make_exception_ptr(index::IndexFull("no room")),
        std::make_exception_ptr(std::system_error(EIO, std::generic_category()))}) {
    facts.refuse(refusal);
    const auto content = run(mirror->blob(name("other"), digest));
    ASSERT_TRUE(content);
    EXPECT_EQ(content->provenance.outcome, Outcome::passed);
    EXPECT_EQ(run(drain(*content->bytes)).bytes, bytes);
  }
  EXPECT_EQ(upstream_.count(Verb::opening), 1);
}

// Rows: C-04, C-06
TEST_F(Fill, a_blob_the_store_lost_is_fetched_again) {
  const auto bytes = noise(big);
  const auto digest = upstream_.put_blob("app", bytes);
  EXPECT_TRUE(pull("app", digest).complete);
  settle();
  site_.store.remove(digest);
  EXPECT_EQ(pull("app", digest).bytes, bytes);
  settle();
  EXPECT_TRUE(stored(digest));
  EXPECT_EQ(upstream_.count(Verb::opening), 2);
  EXPECT_TRUE(counted("entrepot_store_blobs 1\n")) << metrics_.render();
  EXPECT_TRUE(counted("entrepot_store_bytes 1000000\n"));
}

TEST_F(Fill, head_of_a_cold_blob_asks_head_and_fills_nothing) {
  const auto digest = upstream_.put_blob("app", noise(1234));
  const auto size = run(hub().stat(name("app"), digest));
  ASSERT_TRUE(size);
  EXPECT_EQ(size->size, 1234U);
  EXPECT_EQ(upstream_.count(Verb::stating), 1);
  EXPECT_EQ(upstream_.count(Verb::opening), 0);
  EXPECT_EQ(failed(run(hub().stat(name("app"), digest_of("none")))), FailureKind::absent);
}

}  // namespace
}  // namespace entrepot::test::fill_test
