// Closes files where it may take its time: the last descriptor of a large file without a name gives
// back every block of it, which may take a disk a second. No serving thread waits for that.
#pragma once

#include <memory>
#include <mutex>

#include "entrepot/async/offload.hpp"
#include "entrepot/base/unique_fd.hpp"

namespace entrepot::store {

// Thread-safe; outlives the store as long as one of its files is held.
class Closer : public std::enable_shared_from_this<Closer> {
 public:
  explicit Closer(async::BlockingPool& pool) : pool_(&pool) {}

  // A descriptor that its last holder, on whichever thread, leaves to us.
  std::shared_ptr<const base::UniqueFd> share(base::UniqueFd fd);

  // The pool may go: from now on files are closed in place.
  void retire();

 private:
  void close(base::UniqueFd fd) noexcept;

  std::mutex mutex_;  // guards pool_
  async::BlockingPool* pool_;
};

}  // namespace entrepot::store
