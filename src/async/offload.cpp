#include "entrepot/async/offload.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "async/waiter.hpp"

namespace entrepot::async {

namespace {

struct Job {
  std::function<void()> work;
  std::shared_ptr<Waiter> waiter;  // null: nobody waits
  std::exception_ptr failure;

  enum class Stage { queued, running, over };
  std::mutex mutex;  // guards stage
  std::condition_variable changed;
  Stage stage = Stage::queued;

  void execute() {
    {
      const std::lock_guard lock(mutex);
      if (stage == Stage::over) return;
      stage = Stage::running;
    }
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex);
      stage = Stage::over;
    }
    changed.notify_all();
    if (waiter) waiter->wake(Wake::notified);
  }

  void abandon() {
    std::unique_lock lock(mutex);
    if (stage == Stage::queued) stage = Stage::over;
    changed.wait(lock, [this] { return stage == Stage::over; });
  }
};

// The work refers to the frame of the waiting coroutine: when that is destroyed with its
// io_context, the work must not start any more, or must have ended.
class FrameGuard {
 public:
  explicit FrameGuard(Job& job) : job_(job) {}
  FrameGuard(const FrameGuard&) = delete;
  FrameGuard& operator=(const FrameGuard&) = delete;
  ~FrameGuard() { job_.abandon(); }

 private:
  Job& job_;
};

}  // namespace

struct BlockingPool::Threads {
  std::mutex mutex;  // guards queue, closing
  std::condition_variable ready;
  std::deque<std::shared_ptr<Job>> queue;
  bool closing = false;
  std::vector<std::thread> threads;

  void push(std::shared_ptr<Job> job) {
    {
      const std::lock_guard lock(mutex);
      queue.push_back(std::move(job));
    }
    ready.notify_one();
  }

  std::shared_ptr<Job> pop() {
    std::unique_lock lock(mutex);
    ready.wait(lock, [this] { return closing || !queue.empty(); });
    if (queue.empty()) return nullptr;
    auto job = std::move(queue.front());
    queue.pop_front();
    return job;
  }

  void work() {
    while (const auto job = pop()) job->execute();
  }
};

BlockingPool::BlockingPool(std::size_t threads) : threads_(std::make_unique<Threads>()) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_->threads.emplace_back([pool = threads_.get()] { pool->work(); });
  }
}

BlockingPool::~BlockingPool() {
  {
    const std::lock_guard lock(threads_->mutex);
    threads_->closing = true;
  }
  threads_->ready.notify_all();
  for (auto& thread : threads_->threads) thread.join();
}

void BlockingPool::post(std::function<void()> work) {
  const auto job = std::make_shared<Job>();
  job->work = std::move(work);
  threads_->push(job);
}

Task<> BlockingPool::run_erased(std::function<void()> work) {
  const auto job = std::make_shared<Job>();
  const FrameGuard guard(*job);
  job->work = std::move(work);
  job->waiter = std::make_shared<Waiter>(co_await this_executor());
  threads_->push(job);
  co_await job->waiter->park(unlimited, OnCancel::stay);
  // Taken along: no two threads may hold the same one.
  if (auto failure = std::exchange(job->failure, nullptr)) {
    std::rethrow_exception(std::move(failure));
  }
}

}  // namespace entrepot::async
