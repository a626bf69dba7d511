#include "index/environment.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string>

#include "entrepot/base/log.hpp"
#include "entrepot/index/journal.hpp"
#include "index/keys.hpp"
#include "index/lmdb_view.hpp"
#include "index/migration.hpp"
#include "index/records.hpp"
#include "index/repositories.hpp"

namespace entrepot::index {
namespace {

constexpr unsigned reader_slots = 1024;
constexpr std::size_t least_map_bytes = 16 * mebibyte;

// LMDB's own lock is undone when one process opens a file twice (fcntl locks belong to the
// process), so a second object is refused before LMDB sees it (reliability.md B-06).
base::UniqueFd lock_directory(const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory.parent_path());
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    base::throw_errno("cannot make", directory.c_str());
  }
  base::UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) base::throw_errno("cannot open", directory.c_str());
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    throw std::runtime_error("index " + directory.string() + " is open elsewhere");
  }
  return fd;
}

// mdb_env_set_mapsize() unmaps before it maps, and cannot go back: ask before it.
bool address_space_allows(std::size_t bytes) {
  void* probe = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (probe == MAP_FAILED) return false;
  munmap(probe, bytes);
  return true;
}

void sync_name(int directory) {
  if (fsync(directory) == 0) return;
  if (errno == EIO) die_of(errno, "sync directory");
  base::throw_errno("cannot sync the index's directory");
}

// False: it is as it should be.
bool bring_up_to_date(Batch& batch) {
  const auto row = batch.get(Space::meta, base::as_bytes(schema_row));
  if (!row) {
    put_meta_number(batch, schema_row, our_schema);
    found_site(batch);
    return true;
  }
  const auto schema = intact(decode_number(*row), schema_row);
  if (schema > our_schema) {
    throw std::runtime_error("index has schema " + std::to_string(schema) +
                             ", this program knows " + std::to_string(our_schema) +
                             ": it was written by a newer entrepot");
  }
  if (schema == our_schema) return false;
  base::log::info("index migrates", {{"from", schema}, {"to", our_schema}});
  migrate(batch, base::system_clock().wall());
  return true;
}

}  // namespace

Environment::Environment(const std::filesystem::path& directory, LmdbOptions options)
    : options_(options), lock_(lock_directory(directory)), map_bytes_(options.map_bytes) {
  open(directory);
  check_readers();
  prepare_tree();
  // LMDB syncs its file, not the name of it.
  sync_name(lock_.get());
  sync_name(base::UniqueFd(::open(directory.parent_path().c_str(), O_RDONLY | O_CLOEXEC)).get());
}

Environment::~Environment() {
  for (MDB_txn* txn : idle_reads_) mdb_txn_abort(txn);
}

void Environment::open(const std::filesystem::path& directory) {
  for (;;) {
    MDB_env* env = nullptr;
    check_lmdb(mdb_env_create(&env), "create environment");
    env_.reset(env);
    check_lmdb(mdb_env_set_mapsize(env, map_bytes_), "set map size");
    check_lmdb(mdb_env_set_maxreaders(env, reader_slots), "set readers");
    const int code = mdb_env_open(env, directory.c_str(), MDB_NOTLS, 0600);
    if (code == MDB_SUCCESS) return;
    if (code != ENOMEM || map_bytes_ <= least_map_bytes) throw_lmdb(code, directory.string());
    map_bytes_ /= 2;
  }
}

void Environment::prepare_tree() {
  int code = try_prepare_tree();
  while (code == MDB_MAP_FULL && grow()) code = try_prepare_tree();
  check_lmdb(code, "prepare the index");
}

// LMDB's code; the transaction is over when it returns.
int Environment::try_prepare_tree() {
  WriteTransaction txn(*this);
  check_lmdb(txn.begun(), "begin write");
  check_lmdb(mdb_dbi_open(txn.get(), nullptr, 0, &tree_), "open tree");
  LmdbBatch batch(txn.get(), tree_);
  try {
    if (!bring_up_to_date(batch)) return MDB_SUCCESS;
  } catch (const WriteFailed&) {
    return batch.failure();
  }
  return txn.commit();
}

bool Environment::grow() {
  const auto most = std::max(options_.most_map_bytes, options_.map_bytes);
  if (map_bytes_ >= most) return false;
  return move_end(std::min(most, map_bytes_ * 2));
}

bool Environment::open_reserve() {
  return move_end(std::max(options_.most_map_bytes, options_.map_bytes) +
                  options_.erasing_reserve_bytes);
}

void Environment::close_reserve() {
  move_end(std::max(options_.most_map_bytes, options_.map_bytes));
}

bool Environment::move_end(std::size_t bytes) {
  std::unique_lock lock(mutex_);
  moving_ = true;
  changed_.wait(lock, [this] { return active_reads_ == 0; });
  const bool allowed = address_space_allows(bytes);
  if (allowed) {
    if (const int code = mdb_env_set_mapsize(get(), bytes); code != MDB_SUCCESS) {
      die_of(code, "move the end of the map");
    }
    map_bytes_ = bytes;
  }
  moving_ = false;
  changed_.notify_all();
  return allowed;
}

void Environment::check_readers() {
  int dead = 0;
  mdb_reader_check(get(), &dead);
  if (dead > 0) base::log::info("index readers of ended processes cleared", {{"count", dead}});
}

MDB_txn* Environment::begin_read() {
  MDB_txn* txn = nullptr;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !moving_; });
    ++active_reads_;
    if (!idle_reads_.empty()) {
      txn = idle_reads_.back();
      idle_reads_.pop_back();
    }
  }
  const auto begin = [&] {
    return txn ? mdb_txn_renew(txn) : mdb_txn_begin(get(), nullptr, MDB_RDONLY, &txn);
  };
  int code = begin();
  if (code == MDB_READERS_FULL) {
    check_readers();
    code = begin();
  }
  if (code == MDB_SUCCESS) return txn;
  const std::lock_guard lock(mutex_);
  if (txn) mdb_txn_abort(txn);
  --active_reads_;
  changed_.notify_all();
  throw_lmdb(code, "begin read");
}

void Environment::end_read(MDB_txn* txn) {
  mdb_txn_reset(txn);
  const std::lock_guard lock(mutex_);
  idle_reads_.push_back(txn);
  --active_reads_;
  if (moving_) changed_.notify_all();
}

}  // namespace entrepot::index
