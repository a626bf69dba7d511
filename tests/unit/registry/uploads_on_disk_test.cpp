// Uploads over the store of the daemon.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "registry_house.hpp"
#include "support/temp_dir.hpp"

namespace entrepot::test::uploads_on_disk_test {
namespace {

using registry::UploadKey;

class UploadsOnDisk : public RegistryHouse {
 protected:
  UploadsOnDisk() { restart(); }

  void restart() {
    uploads_.reset();
    admission_on_disk_.reset();
    disk_.reset();
    disk_ = store::open_filesystem_store(data_.path(), pool_);
    admission_on_disk_ =
        std::make_unique<registry::Admission>(facts_, *disk_, base::system_clock(), metrics_);
    uploads_ = std::make_unique<registry::Uploads>(*disk_, *admission_on_disk_, leases_, writer_,
                                                   policy_, pool_, base::system_clock(), metrics_);
  }
  UploadKey open() {
    return {name("app"), "alice", run(uploads_->open(name("app"), "alice", algorithm_))};
  }
  std::uint64_t append(const UploadKey& key, const std::string& bytes) {
    Pieces body({bytes});
    return run(uploads_->append(key, {}, {}, body.reader()));
  }
  void finish(const UploadKey& key, const std::string& content) {
    Pieces body({});
    run(uploads_->finish(key, {}, {}, body.reader(), digest_of(content), actor("alice")));
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(data_.path() / "spool"), {}));
  }

  static constexpr auto algorithm_ = oci::Algorithm::sha256;
  TempDir data_;
  std::unique_ptr<store::BlobStore> disk_;
  std::unique_ptr<registry::Admission> admission_on_disk_;
  std::unique_ptr<registry::Uploads> uploads_;
};

// Rows: D-01
TEST_F(UploadsOnDisk, goes_on_after_a_restart) {
  const auto key = open();
  append(key, "con");
  restart();
  EXPECT_EQ(run(uploads_->offset(key)), 3U);
  EXPECT_EQ(append(key, "tent"), 7U);
  finish(key, "content");
  EXPECT_EQ(disk_->find(digest_of("content"))->size, 7U);
  EXPECT_EQ(files(), 0U);
}

TEST_F(UploadsOnDisk, more_sessions_than_are_kept_warm_go_on_all_the_same) {
  registry::PolicyOptions options;
  options.uploads.per_principal = 1000;
  set_policy(options);
  std::vector<UploadKey> keys;
  for (int i = 0; i < 300; ++i) {
    keys.push_back(open());
    append(keys.back(), std::to_string(i));
  }
  for (int i = 0; i < 300; ++i) {
    append(keys[static_cast<std::size_t>(i)], "!");
    finish(keys[static_cast<std::size_t>(i)], std::to_string(i) + "!");
  }
  EXPECT_EQ(files(), 0U);
}

TEST_F(UploadsOnDisk, bytes_taken_away_behind_our_back_end_the_session) {
  const auto key = open();
  append(key, "con");
  restart();
  std::filesystem::remove(data_.path() / "spool" / ("upload-" + key.id));
  Pieces body({"tent"});
  EXPECT_EQ(refused(uploads_->append(key, {}, {}, body.reader())), Code::blob_upload_unknown);
  EXPECT_EQ(uploads_->open_sessions(), 0U);
}

void plant(const std::filesystem::path& path, std::string_view text, std::time_t written) {
  const base::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  const timespec times[] = {{written, 0}, {written, 0}};
  ASSERT_EQ(::futimens(file.get(), times), 0);
}

// Rows: P-11
TEST_F(UploadsOnDisk, a_hundred_thousand_abandoned_ones_go_at_start) {
  constexpr std::size_t many = 100'000;
  const auto active = open();
  append(active, "x");
  const auto yesterday = std::time(nullptr) - 25 * 3600;
  for (std::size_t i = 0; i < many; ++i) {
    auto id = std::to_string(i);
    id.insert(0, 32 - id.size(), '0');
    const auto path = data_.path() / "spool" / ("upload-" + id);
    plant(path, "12", yesterday);
    plant(path.string() + ".session", i % 3 == 0 ? "?" : "app\n\nsha256\n", yesterday);
  }
  restart();
  EXPECT_EQ(uploads_->open_sessions(), 1U);
  const auto swept = run(uploads_->sweep());
  EXPECT_EQ(swept.sessions, many);
  EXPECT_EQ(swept.bytes, 2 * many);
  EXPECT_EQ(files(), 2U);
  EXPECT_EQ(run(uploads_->offset(active)), 1U);
}

}  // namespace
}  // namespace entrepot::test::uploads_on_disk_test
