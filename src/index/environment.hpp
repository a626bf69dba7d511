// The LMDB environment of the process: one file, one map, one tree for all spaces.
//
// Flags are MDB_NOTLS and nothing else (libraries.md L1): a read transaction belongs to the object,
// not to the thread. One tree with the space as first byte of the key, rather than one named
// database a space: a fresh read transaction would look up each named database's root again, one
// more descent for every space a request touches.
#pragma once

#include <lmdb.h>

#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "entrepot/base/unique_fd.hpp"
#include "index/lmdb_error.hpp"

namespace entrepot::index {

inline constexpr std::size_t mebibyte = std::size_t{1} << 20;
inline constexpr std::size_t gibibyte = std::size_t{1} << 30;

struct LmdbOptions {
  // Address space asked for at first (the file is as long as its content); halved while the system
  // refuses it, as under `ulimit -v`.
  std::size_t map_bytes = 64 * gibibyte;
  // What growing stops at: then IndexFull.
  std::size_t most_map_bytes = 1024 * gibibyte;
  // Above that, for writes that erase only: a full index can be emptied.
  std::size_t erasing_reserve_bytes = 16 * mebibyte;
};

class Environment {
 public:
  // Opens or makes `directory` (0700); an index of an older schema becomes one of ours. Throws
  // std::runtime_error when another object holds it, its schema is newer than ours, or the file is
  // no index.
  Environment(const std::filesystem::path& directory, LmdbOptions options);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  MDB_env* get() const { return env_.get(); }
  MDB_dbi tree() const { return tree_; }

  // Moves the map's end; waits until no read runs. REQUIRES: no write transaction. False: at the
  // limit, or the address space refuses.
  bool grow();
  bool open_reserve();
  void close_reserve();

  // Frees the slots of readers that were killed; they would keep old pages alive for ever.
  void check_readers();

 private:
  friend class ReadTransaction;
  struct CloseEnv {
    void operator()(MDB_env* env) const { mdb_env_close(env); }
  };

  void open(const std::filesystem::path& directory);
  void prepare_tree();
  int try_prepare_tree();
  bool move_end(std::size_t bytes);
  MDB_txn* begin_read();
  void end_read(MDB_txn* txn);

  LmdbOptions options_;
  base::UniqueFd lock_;
  std::unique_ptr<MDB_env, CloseEnv> env_;
  MDB_dbi tree_ = 0;
  std::size_t map_bytes_ = 0;

  std::mutex mutex_;  // guards the four below
  std::condition_variable changed_;
  std::vector<MDB_txn*> idle_reads_;  // reset: they keep their reader slot, but no snapshot
  std::size_t active_reads_ = 0;
  bool moving_ = false;
};

// A snapshot. Taken and given back on one thread, within one synchronous call.
class ReadTransaction {
 public:
  explicit ReadTransaction(Environment& environment)
      : environment_(environment), txn_(environment.begin_read()) {}
  ~ReadTransaction() { environment_.end_read(txn_); }
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

  MDB_txn* get() const { return txn_; }

 private:
  Environment& environment_;
  MDB_txn* txn_;
};

// Aborts unless committed. Writer's thread only.
class WriteTransaction {
 public:
  explicit WriteTransaction(const Environment& environment)
      : begun_(mdb_txn_begin(environment.get(), nullptr, 0, &txn_)) {}
  ~WriteTransaction() {
    if (txn_) mdb_txn_abort(txn_);
  }
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;

  // LMDB's code of the begin; get() and commit() need it to be MDB_SUCCESS.
  int begun() const { return begun_; }
  MDB_txn* get() const { return txn_; }
  // LMDB's code; the transaction is over either way.
  int commit() {
    return write_pages([this] { return mdb_txn_commit(std::exchange(txn_, nullptr)); });
  }

 private:
  MDB_txn* txn_ = nullptr;
  int begun_;
};

}  // namespace entrepot::index
