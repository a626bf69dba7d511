// The one thread that writes the index. It takes everything that waits into one transaction and
// one commit (each commit costs two flushes of the disk, whatever it holds), then lets all of them
// go on: while one group is being synced, the next gathers.
//
// A group runs without nested transactions: LMDB's allocate 2 MiB each and merge page lists at
// every end. Instead, when a write throws or the map is full, the transaction is given up and its
// writes run again without the culprit. That is allowed because a write has no effect but on its
// Batch.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/index/index.hpp"
#include "index/environment.hpp"
#include "index/pending_write.hpp"

namespace entrepot::index {

class Committer {
 public:
  // `journal_grown` is told the Journal's newest row after each commit that made it grow, before
  // those whose writes they were go on; on the Committer's thread.
  Committer(Environment& environment, std::function<void(std::uint64_t newest)> journal_grown);
  // Commits what waits, then ends the thread.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // Returns when what `work` wrote is durable; throws what it threw, or why it is not. Thread-safe.
  async::Task<> commit(std::function<void(Batch&)> work);

 private:
  using Group = std::span<const std::shared_ptr<PendingWrite>>;
  enum class Ending { committed, threw, full, failed };
  // How an attempt ended and how many writes it held; `threw`: the next one is the culprit.
  struct Attempt {
    Ending ending;
    std::size_t count;
    int code = 0;
    bool erases = false;
  };

  void add(std::shared_ptr<PendingWrite> write);
  void run();
  std::vector<std::shared_ptr<PendingWrite>> next_group();
  void settle(Group group);
  void settle_full(Group group, const Attempt& attempt);
  Attempt attempt(Group group);
  Attempt commit(WriteTransaction& txn, std::size_t count, bool erases);
  static Attempt ended_with(int code, std::size_t count, bool erases);
  static void release(Group group);
  // Gives the failure away: no two threads may hold the same one.
  static void fail(PendingWrite& write, std::exception_ptr&& failure);

  Environment& environment_;
  const std::function<void(std::uint64_t)> journal_grown_;
  std::uint64_t newest_row_ = 0;  // Committer's thread: as far as journal_grown_ was told
  std::mutex mutex_;              // guards waiting_, stopping_
  std::condition_variable changed_;
  std::vector<std::shared_ptr<PendingWrite>> waiting_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace entrepot::index
