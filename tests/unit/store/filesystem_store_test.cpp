#include <fcntl.h>
#include <sys/stat.h>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fstream>

#include "contract/blob_store_contract.hpp"
#include "store/layout.hpp"
#include "support/no_descriptors.hpp"

namespace entrepot::test {

INSTANTIATE_TEST_SUITE_P(filesystem, BlobStoreContract,
                         testing::Values(StoreMaker(store::open_filesystem_store)));

}  // namespace entrepot::test

namespace entrepot::store {
namespace {

namespace fs = std::filesystem;
using test::digest_of;
using test::run_task;

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator{}));
}

void write_file(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }

std::string read_file(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

class FilesystemStore : public testing::Test {
 protected:
  FilesystemStore() : store_(open_filesystem_store(data_.path(), pool_)) {}

  fs::path path_of(const oci::Digest& digest) const {
    return data_.path() / layout::blobs / layout::blob_path(digest);
  }
  fs::path spool_path() const { return data_.path() / layout::spool; }
  fs::path quarantine_path() const { return data_.path() / layout::quarantine; }
  oci::Digest put(std::string_view content) {
    auto spool = store_->begin(oci::Algorithm::sha256);
    spool->append(base::as_bytes(content));
    run_task(store_->commit(std::move(spool), digest_of(content)));
    return digest_of(content);
  }
  void restart() {
    store_.reset();
    store_ = open_filesystem_store(data_.path(), pool_);
  }

  test::TempDir data_;
  async::BlockingPool pool_{1};
  std::unique_ptr<BlobStore> store_;
};

TEST_F(FilesystemStore, lies_on_disk_as_drawn) {
  const auto digest = put("content");
  const auto hex = digest.hex();
  const auto path = data_.path() / "blobs" / "sha256" / hex.substr(0, 2) / hex;
  EXPECT_EQ(read_file(path), "content");
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(files_in(data_.path() / "blobs" / "sha256"), 256U);
  EXPECT_EQ(files_in(spool_path()), 0U);
}

// Rows: C-04, C-06
TEST_F(FilesystemStore, a_file_changed_behind_our_back_goes_to_quarantine) {
  for (const off_t size : {0, 3, 4000}) {
    const auto digest = put("content");
    ASSERT_EQ(truncate(path_of(digest).c_str(), size), 0);
    EXPECT_FALSE(store_->open(digest, 7));
    EXPECT_FALSE(fs::exists(path_of(digest)));
  }
  EXPECT_EQ(files_in(quarantine_path()), 3U);
  const auto digest = put("content");
  ASSERT_EQ(unlink(path_of(digest).c_str()), 0);
  EXPECT_FALSE(store_->open(digest, 7));
  EXPECT_FALSE(store_->find(digest));
}

async::Task<bool> open_again_and_again(BlobStore& store, oci::Digest digest, int times) {
  for (int i = 0; i < times; ++i) {
    store.open(digest, 7);
    auto spool = store.begin(oci::Algorithm::sha256);
    spool->append(base::as_bytes("content"));
    co_await store.commit(std::move(spool), digest);
  }
  co_return true;
}

// Rows: C-04
TEST_F(FilesystemStore, a_good_blob_never_goes_the_way_of_the_bad_one_it_replaces) {
  const auto digest = put("content");
  test::RunningRuntime runtime(2);
  std::vector<std::future<bool>> ends;
  for (std::size_t i = 0; i < 4; ++i) {
    ends.push_back(runtime.start(i % 2, open_again_and_again(*store_, digest, 50)));
  }
  for (int i = 0; i < 50; ++i) truncate(path_of(digest).c_str(), 3);
  for (auto& end : ends) EXPECT_TRUE(end.get());
  put("content");
  for (const auto& entry : fs::directory_iterator(quarantine_path())) {
    EXPECT_NE(fs::file_size(entry), 7U);
  }
}

// Rows: C-15
TEST_F(FilesystemStore, a_fresh_commit_replaces_rotten_bytes) {
  const auto digest = put("content");
  write_file(path_of(digest), "cOntent");
  put("content");
  EXPECT_EQ(read_file(path_of(digest)), "content");
  ASSERT_EQ(truncate(path_of(digest).c_str(), 2), 0);
  put("content");
  EXPECT_EQ(read_file(path_of(digest)), "content");
  EXPECT_EQ(files_in(quarantine_path()), 1U);
}

// Rows: P-10
TEST_F(FilesystemStore, planted_symlinks_lead_nowhere) {
  const test::TempDir outside;
  const auto target = outside.path() / "target";
  write_file(target, "secret!");
  const auto digest = put("content");
  fs::remove(path_of(digest));
  fs::create_symlink(target, path_of(digest));
  EXPECT_FALSE(store_->find(digest));
  EXPECT_FALSE(store_->open(digest, 7));
  fs::create_symlink(target, spool_path() / layout::fill_spool(digest));
  auto spool = run_task(store_->begin_or_resume(digest));
  EXPECT_EQ(spool->size(), 0U);
  spool->append(base::as_bytes("content"));
  run_task(store_->commit(std::move(spool), digest));
  EXPECT_EQ(read_file(path_of(digest)), "content");
  EXPECT_EQ(read_file(target), "secret!");
}

// Rows: P-10
TEST_F(FilesystemStore, a_shard_swapped_for_a_symlink_is_not_followed) {
  const test::TempDir outside;
  const auto digest = digest_of("content");
  const auto shard = path_of(digest).parent_path();
  fs::remove(shard);
  fs::create_directory_symlink(outside.path(), shard);
  write_file(outside.path() / digest.hex(), "content");
  EXPECT_FALSE(store_->find(digest));
  EXPECT_THROW(store_->open(digest, 7), std::system_error) << "not absent: an alarm";
  EXPECT_THROW(store_->remove(digest), std::system_error);
  EXPECT_THROW(put("content"), std::system_error);
  EXPECT_EQ(files_in(outside.path()), 1U);
}

TEST_F(FilesystemStore, a_fifo_in_a_blobs_place_does_not_block) {
  const auto digest = put("content");
  fs::remove(path_of(digest));
  ASSERT_EQ(mkfifo(path_of(digest).c_str(), 0600), 0);
  EXPECT_FALSE(store_->open(digest, 7));
  EXPECT_FALSE(fs::exists(path_of(digest)));
}

// Rows: D-11
TEST_F(FilesystemStore, a_restart_sweeps_what_is_ours_and_nothing_else) {
  const auto digest = digest_of("content");
  auto anonymous = store_->begin(oci::Algorithm::sha256);
  const auto kept_name = spool_path() / layout::anonymous_spool();
  write_file(kept_name, "left by a crash");
  write_file(spool_path() / layout::fill_spool(digest), "con");
  write_file(spool_path() / "somebody's notes", "notes");
  write_file(spool_path() / "fill-sha256-zz", "odd");
  anonymous.reset();
  restart();
  EXPECT_FALSE(fs::exists(kept_name));
  EXPECT_TRUE(fs::exists(spool_path() / "somebody's notes"));
  EXPECT_TRUE(fs::exists(spool_path() / "fill-sha256-zz"));
  EXPECT_EQ(run_task(store_->begin_or_resume(digest))->size(), 3U);
}

void make_old(const fs::path& path, std::chrono::hours age) {
  fs::last_write_time(path, fs::file_time_type::clock::now() - age);
}

// Rows: D-11
TEST_F(FilesystemStore, a_fill_untouched_for_a_week_is_swept) {
  const auto old_fill = spool_path() / layout::fill_spool(digest_of("old"));
  const auto fill = spool_path() / layout::fill_spool(digest_of("content"));
  write_file(old_fill, "ol");
  write_file(fill, "con");
  make_old(old_fill, std::chrono::hours(24 * 7 + 1));
  make_old(fill, std::chrono::hours(24 * 7 - 1));
  restart();
  EXPECT_FALSE(fs::exists(old_fill));
  EXPECT_TRUE(fs::exists(fill));
}

// Rows: D-11, P-11
TEST_F(FilesystemStore, half_an_upload_is_swept_and_a_whole_one_is_not) {
  const std::string whole(32, 'a');
  store_->begin_upload(whole, oci::Algorithm::sha256, "notes");
  write_file(spool_path() / layout::upload_spool(std::string(32, 'b')), "bytes without notes");
  write_file(spool_path() / layout::upload_notes(std::string(32, 'c')), "notes without bytes");
  write_file(spool_path() / "upload-zz", "odd");
  restart();
  EXPECT_TRUE(fs::exists(spool_path() / layout::upload_spool(whole)));
  EXPECT_TRUE(fs::exists(spool_path() / layout::upload_notes(whole)));
  EXPECT_FALSE(fs::exists(spool_path() / layout::upload_spool(std::string(32, 'b'))));
  EXPECT_FALSE(fs::exists(spool_path() / layout::upload_notes(std::string(32, 'c'))));
  EXPECT_TRUE(fs::exists(spool_path() / "upload-zz")) << "none of ours";
}

// Rows: P-07
TEST_F(FilesystemStore, one_spool_an_upload_at_a_time) {
  const std::string id(32, 'a');
  auto spool = store_->begin_upload(id, oci::Algorithm::sha256, "");
  EXPECT_THROW(run_task(store_->resume_upload(id, oci::Algorithm::sha256)), std::system_error);
  spool.reset();
  EXPECT_TRUE(run_task(store_->resume_upload(id, oci::Algorithm::sha256)));
}

TEST_F(FilesystemStore, a_file_is_brought_by_a_link_where_that_can_be) {
  const auto theirs = data_.path() / "theirs";
  write_file(theirs, "content");
  const base::UniqueFd file(::open(theirs.c_str(), O_RDONLY | O_CLOEXEC));
  const auto digest = digest_of("content");
  run_task(store_->bring(file, digest, BlobStore::Bring::link));
  EXPECT_EQ(fs::hard_link_count(path_of(digest)), 2U);
  run_task(store_->bring(file, digest, BlobStore::Bring::link));
  EXPECT_EQ(fs::hard_link_count(path_of(digest)), 2U) << "again leaves nothing behind";
  EXPECT_EQ(files_in(spool_path()), 0U);
  run_task(store_->bring(file, digest, BlobStore::Bring::copy));
  EXPECT_EQ(fs::hard_link_count(path_of(digest)), 1U);
}

// Rows: C-15
TEST_F(FilesystemStore, what_is_brought_takes_the_place_of_a_damaged_file) {
  const auto digest = put("content");
  ASSERT_EQ(truncate(path_of(digest).c_str(), 3), 0);
  const auto theirs = data_.path() / "theirs";
  write_file(theirs, "content");
  const base::UniqueFd file(::open(theirs.c_str(), O_RDONLY | O_CLOEXEC));
  run_task(store_->bring(file, digest, BlobStore::Bring::link));
  EXPECT_EQ(read_file(path_of(digest)), "content");
  EXPECT_EQ(files_in(quarantine_path()), 1U);
}

TEST_F(FilesystemStore, trash_keeps_the_file_under_its_digest) {
  const auto digest = put("content");
  store_->trash(digest);
  EXPECT_EQ(read_file(data_.path() / "trash" / ("sha256-" + digest.hex())), "content");
  write_file(data_.path() / "trash" / "somebody's", "notes");
  store_->empty_trash(base::system_clock().wall() + std::chrono::hours(1));
  EXPECT_EQ(files_in(data_.path() / "trash"), 1U) << "nothing but ours goes";
}

// Where the last holder of a large file without a name lets go, nobody waits for its blocks.
TEST_F(FilesystemStore, a_large_removed_file_is_closed_on_the_pool) {
  auto spool = store_->begin(oci::Algorithm::sha256);
  spool->append(base::as_bytes(std::string(20 << 20, 'x')));
  std::weak_ptr<const base::UniqueFd> held = spool->file();
  const auto fd = spool->file()->get();
  boost::asio::io_context context(1);
  async::spawn(context.get_executor(), pool_.run([&] {
    spool.reset();  // on the pool's only thread, which closes it after this
    EXPECT_TRUE(held.expired());
    EXPECT_NE(fcntl(fd, F_GETFD), -1);
  }),
               "hold the pool");
  context.run();
  run_task(pool_.run([] {}));
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
}

// Rows: C-11, R-03
TEST_F(FilesystemStore, a_partial_outlives_a_lack_of_descriptors) {
  const auto digest = digest_of("content");
  const auto partial = spool_path() / layout::fill_spool(digest);
  write_file(partial, "con");
  boost::asio::io_context context(1);
  // The context takes its own descriptors with the first wait.
  run_task(context, store_->begin_or_resume(digest_of("other")));
  {
    const test::NoDescriptors none;
    EXPECT_THROW(run_task(context, store_->begin_or_resume(digest)), std::system_error);
  }
  ASSERT_TRUE(fs::exists(partial));
  EXPECT_EQ(run_task(context, store_->begin_or_resume(digest))->size(), 3U);
}

TEST_F(FilesystemStore, what_is_no_file_in_the_place_of_a_partial_is_removed) {
  const auto digest = digest_of("content");
  const auto place = spool_path() / layout::fill_spool(digest);
  ASSERT_EQ(mkfifo(place.c_str(), 0600), 0);
  EXPECT_EQ(run_task(store_->begin_or_resume(digest))->size(), 0U);
  ASSERT_EQ(mknod(place.c_str(), S_IFSOCK | 0600, 0), 0);
  auto spool = run_task(store_->begin_or_resume(digest));
  spool->append(base::as_bytes("content"));
  EXPECT_EQ(run_task(store_->commit(std::move(spool), digest)).size, 7U);
}

void write_sparse(const fs::path& path, std::uintmax_t size) {
  write_file(path, "");
  fs::resize_file(path, size);
}

constexpr std::uintmax_t large_partial = std::uintmax_t{192} << 20;

async::Task<> resume_and_sign(BlobStore& store, oci::Digest digest, std::string signature,
                              std::vector<std::string>& signatures) {
  auto spool = co_await store.begin_or_resume(digest);
  spool->keep();
  signatures.push_back(signature);
}

async::Task<> count_turns(async::BlockingPool& pool, const std::vector<std::string>& signatures,
                          int& turns) {
  while (signatures.empty()) {
    co_await pool.run([] {});
    ++turns;
  }
}

// Rows: O-01
TEST_F(FilesystemStore, hashing_a_large_partial_lets_others_at_the_pool) {
  const auto digest = digest_of("content");
  write_sparse(spool_path() / layout::fill_spool(digest), large_partial);
  std::vector<std::string> signatures;
  int turns = 0;
  boost::asio::io_context context(1);
  async::spawn(context.get_executor(), resume_and_sign(*store_, digest, "large", signatures),
               "resume");
  async::spawn(context.get_executor(), count_turns(pool_, signatures, turns), "turns");
  context.run();
  EXPECT_EQ(signatures, std::vector<std::string>{"large"});
  EXPECT_GE(turns, 3) << "one a slice";
}

TEST_F(FilesystemStore, two_partials_are_hashed_at_once) {
  std::vector<std::string> signatures;
  boost::asio::io_context context(1);
  const auto resume = [&](const std::string& name, std::uintmax_t size) {
    const auto digest = digest_of(name);
    write_sparse(spool_path() / layout::fill_spool(digest), size);
    async::spawn(context.get_executor(), resume_and_sign(*store_, digest, name, signatures),
                 "resume");
  };
  resume("first", large_partial);
  resume("second", large_partial);
  resume("small", 1);
  context.run();
  EXPECT_EQ(signatures.size(), 3U);
  EXPECT_NE(signatures.front(), "small");
}

// Rows: O-01
TEST_F(FilesystemStore, a_resume_that_is_stopped_leaves_the_partial) {
  const auto digest = digest_of("content");
  const auto partial = spool_path() / layout::fill_spool(digest);
  write_sparse(partial, large_partial);
  std::vector<std::string> signatures;
  {
    boost::asio::io_context context(1);
    boost::asio::cancellation_signal cancellation;
    async::spawn_cancellable(context.get_executor(),
                             resume_and_sign(*store_, digest, "cancelled", signatures), "resume",
                             cancellation.slot());
    boost::asio::post(context,
                      [&] { cancellation.emit(boost::asio::cancellation_type::terminal); });
    context.run();
    EXPECT_EQ(fs::file_size(partial), large_partial);
    async::spawn(context.get_executor(), resume_and_sign(*store_, digest, "destroyed", signatures),
                 "resume");
    context.restart();
    context.run_one();
  }
  EXPECT_TRUE(signatures.empty());
  EXPECT_EQ(fs::file_size(partial), large_partial);
  EXPECT_EQ(run_task(store_->begin_or_resume(digest))->size(), large_partial) << "nobody holds it";
}

TEST_F(FilesystemStore, unknown_files_among_blobs_are_not_listed) {
  const auto digest = put("content");
  write_file(path_of(digest).parent_path() / "README", "?");
  write_file(path_of(digest).parent_path() / std::string(64, 'Z'), "?");
  EXPECT_EQ(store_->list({}, 10), std::vector{digest});
}

}  // namespace
}  // namespace entrepot::store
