// Facts: an ordered map of byte strings with transactions, in a handful of key spaces.
//
// Meaning lives one step up, in catalog.hpp. The functions given to read() and write() are plain
// synchronous code: nobody can suspend inside a transaction. Views given out by View point into the
// transaction and end with it.
//
// Visible when write() returns, to every later read() on any thread; durable then, too. Concurrent
// writes are grouped into one commit; each is all or nothing, one that throws undoes only itself
// and its exception reaches its caller. A write's function may run more than once (a grouped commit
// that failed is replayed): it must have no effect but on its Batch. Thread-safe.
#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/base/bytes.hpp"

namespace entrepot::index {

enum class Space : std::uint8_t;  // the list is drawn in src/index/keys.hpp

enum class Continue { no, yes };

// What get() and scan() give out points into the transaction (LMDB: into the map, nothing is
// copied). It ends with the View; on a Batch already with the next put() or erase().
class View {
 public:
  virtual ~View() = default;
  virtual std::optional<base::ByteView> get(Space space, base::ByteView key) const = 0;
  // Rows whose key starts with `prefix` and is greater than `after` (empty: from the first), in key
  // order, until `visit` answers no. `visit` must not write.
  virtual void scan(
      Space space, base::ByteView prefix, base::ByteView after,
      const std::function<Continue(base::ByteView key, base::ByteView value)>& visit) const = 0;
};

class Batch : public View {
 public:
  virtual void put(Space space, base::ByteView key, base::ByteView value) = 0;
  virtual void erase(Space space, base::ByteView key) = 0;  // absent is fine
};

// The index cannot grow any more (map or disk full). Reads go on; so do writes that erase, out of
// a reserve kept for them.
class IndexFull : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Index {
 public:
  virtual ~Index() = default;

  template <class Work>
  auto read(Work work) -> async::Task<std::invoke_result_t<Work&, const View&>> {
    using Result = std::invoke_result_t<Work&, const View&>;
    if constexpr (std::is_void_v<Result>) {
      co_await run_read([&work](const View& view) { work(view); });
    } else {
      std::optional<Result> result;
      co_await run_read([&](const View& view) { result.emplace(work(view)); });
      co_return std::move(*result);
    }
  }

  template <class Work>
  auto write(Work work) -> async::Task<std::invoke_result_t<Work&, Batch&>> {
    using Result = std::invoke_result_t<Work&, Batch&>;
    if constexpr (std::is_void_v<Result>) {
      co_await run_write([&work](Batch& batch) { work(batch); });
    } else {
      std::optional<Result> result;
      co_await run_write([&](Batch& batch) { result.emplace(work(batch)); });
      co_return std::move(*result);
    }
  }

  // Notified after every commit that made the Journal grow. Who waits takes the ticket first, then
  // reads, then waits.
  async::Broadcast& journal_grown() { return journal_grown_; }

 protected:
  virtual async::Task<> run_read(std::function<void(const View&)> work) = 0;
  virtual async::Task<> run_write(std::function<void(Batch&)> work) = 0;

 private:
  async::Broadcast journal_grown_;
};

// LMDB with default flags (never NOSYNC, WRITEMAP, NOMETASYNC), in <data>/index. An index of an
// older schema is brought up to its own, all of it or nothing; a newer one is refused
// (std::runtime_error with a sentence). A failed sync of the disk ends the
// process (exit 70): LMDB reports it once and then pretends (reliability.md D-06).
// Reads run in place on the calling thread, some microseconds; writes on one thread of its own.
// Destruction commits what was asked for before.
std::unique_ptr<Index> open_lmdb_index(const std::filesystem::path& data);

}  // namespace entrepot::index
