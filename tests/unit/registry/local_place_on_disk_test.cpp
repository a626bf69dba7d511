// A LocalPlace over the store of the daemon.
#include <filesystem>

#include "place_house.hpp"
#include "support/offers.hpp"
#include "support/temp_dir.hpp"

namespace entrepot::test::local_place_on_disk_test {
namespace {

using registry::Taken;

class LocalPlaceOnDisk : public PlaceHouse {
 protected:
  LocalPlaceOnDisk() { restart(); }

  void restart() {
    on_disk_.reset();
    local_on_disk_.reset();
    admission_on_disk_.reset();
    disk_.reset();
    disk_ = store::open_filesystem_store(data_.path(), pool_);
    admission_on_disk_ =
        std::make_unique<registry::Admission>(facts_, *disk_, base::system_clock(), metrics_);
    local_on_disk_ = std::make_unique<registry::Local>(facts_, *disk_);
    on_disk_ = std::make_unique<registry::LocalPlace>(
        registry::LocalPlace::House{.index = facts_,
                                    .store = *disk_,
                                    .local = *local_on_disk_,
                                    .admission = *admission_on_disk_,
                                    .leases = leases_,
                                    .writer = writer_,
                                    .movers = movers_,
                                    .pool = pool_},
        "replication:test");
  }
  registry::BlobOffer offer(BlobPlan plan) {
    const auto digest = digest_of(plan.bytes);
    const auto size = plan.bytes.size();
    source_.put_blob("app", digest, std::move(plan));
    return offer_from(source_, "app", digest, size);
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(data_.path() / "spool"), {}));
  }

  TempDir data_;
  std::unique_ptr<store::BlobStore> disk_;
  std::unique_ptr<registry::Admission> admission_on_disk_;
  std::unique_ptr<registry::Local> local_on_disk_;
  std::unique_ptr<registry::LocalPlace> on_disk_;
  ScriptedSource source_;
  const std::string bytes_ = noise(2'000'000, 3);
};

// Rows: D-01 N-10
TEST_F(LocalPlaceOnDisk, a_blob_goes_on_where_it_was_after_a_restart) {
  const auto broken = offer({.bytes = bytes_, .break_at = 1'200'000, .breaks = 2});
  EXPECT_FALSE(run(on_disk_->put_blob(name("app"), broken)));
  restart();
  const auto taken = run(on_disk_->put_blob(name("app"), broken));
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->bytes, 800'000U);
  EXPECT_EQ(source_.starts().back(), 1'200'000U);
  EXPECT_EQ(files(), 0U);
}

TEST_F(LocalPlaceOnDisk, what_was_cancelled_is_kept) {
  const auto valve = std::make_shared<Valve>();
  const auto slow = offer({.bytes = bytes_, .valve = valve});
  valve->open_to(600'000);
  async::asio::cancellation_signal cancel;
  std::optional<registry::Answer<registry::BlobTaken>> answer;
  bool over = false;
  async::spawn_cancellable(context_.get_executor(),
                           keep_result(on_disk_->put_blob(name("app"), slow), answer), "a blob",
                           cancel.slot(), [&] { over = true; });
  const auto file = data_.path() / "spool" / ("fill-sha256-" + digest_of(bytes_).hex());
  const auto arrived = [&] {
    return std::filesystem::exists(file) && std::filesystem::file_size(file) > 500'000;
  };
  for (int i = 0; i < 10'000 && !arrived(); ++i) context_.run_one_for(std::chrono::milliseconds(1));
  ASSERT_TRUE(arrived());
  cancel.emit(async::asio::cancellation_type::terminal);
  for (int i = 0; i < 10'000 && !over; ++i) context_.run_one_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(over);
  EXPECT_FALSE(answer);
  const auto kept = std::filesystem::file_size(file);
  EXPECT_GT(kept, 500'000U);
  valve->open();
  const auto taken = run(on_disk_->put_blob(name("app"), slow));
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->bytes, bytes_.size() - kept);
}

// A mirror's fill of the same digest.
TEST_F(LocalPlaceOnDisk, waits_for_who_has_the_spool) {
  auto fill = run(disk_->begin_or_resume(digest_of(bytes_)));
  std::optional<registry::Answer<registry::BlobTaken>> answer;
  bool over = false;
  async::spawn(context_.get_executor(),
               keep_result(on_disk_->put_blob(name("app"), offer({.bytes = bytes_})), answer),
               "a blob", [&] { over = true; });
  context_.restart();
  context_.run_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(over);
  fill->append(base::as_bytes(bytes_));
  run(admission_on_disk_->admit(std::move(fill), digest_of(bytes_), [&](index::Batch& batch) {
    index::link(batch, name("hub/app"), index::RepositoryKind::mirrored, digest_of(bytes_), {});
  }));
  context_.restart();
  for (int i = 0; i < 10'000 && !over; ++i) context_.run_one_for(std::chrono::milliseconds(1));
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->how, Taken::mounted);
  EXPECT_TRUE(source_.starts().empty());
}

}  // namespace
}  // namespace entrepot::test::local_place_on_disk_test
