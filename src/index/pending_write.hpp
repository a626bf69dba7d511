// A write on its way from the coroutine that wants it, through the Committer, and back.
//
// `work` refers to the frame of that coroutine. A cancelled waiter therefore stays until the write
// stands or has failed, one flush at most, and its thread serves others meanwhile. When the frame
// is destroyed with its io_context, the work must not start any more, or must have ended: whoever
// awaits done() holds a FrameGuard.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/index/index.hpp"

namespace entrepot::index {

class PendingWrite {
 public:
  explicit PendingWrite(std::function<void(Batch&)> the_work) : work(std::move(the_work)) {}

  // Committer's thread. False: nobody waits for it any more, it must not run.
  bool start();
  // Committer's thread: durable, or failed; the waiter goes on.
  void finish();

  // The waiter's side: returns after finish(), whether cancelled or not; what the caller awaits
  // next feels the cancellation. REQUIRES: a FrameGuard in the calling coroutine.
  async::Task<> done();

  class FrameGuard {
   public:
    explicit FrameGuard(PendingWrite& write) : write_(write) {}
    ~FrameGuard() { write_.abandon(); }
    FrameGuard(const FrameGuard&) = delete;
    FrameGuard& operator=(const FrameGuard&) = delete;

   private:
    PendingWrite& write_;
  };

  const std::function<void(Batch&)> work;
  std::exception_ptr failure;  // Committer's until finish(), the waiter's after

 private:
  enum class Stage { waiting, started, over };

  // Absent when it is over.
  std::optional<std::uint64_t> ticket();
  // Blocks while the work runs.
  void abandon();

  std::mutex mutex_;  // guards stage_
  std::condition_variable changed_;
  Stage stage_ = Stage::waiting;
  async::Broadcast finished_;
};

}  // namespace entrepot::index
