// bcrypt on the pool, a few at once, with a queue that ends (reliability.md ): logins
// never take the pool's threads from the disks, and one address never takes the whole queue.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

#include "entrepot/async/limiter.hpp"
#include "entrepot/async/offload.hpp"
#include "entrepot/async/task.hpp"

namespace entrepot::auth {

// Thread-safe.
class HashQueue {
 public:
  static constexpr std::size_t longest = 128;
  static constexpr std::size_t longest_of_one_network = 16;

  // The pool must outlive it.
  explicit HashQueue(async::BlockingPool& pool);

  // Throws oci::Refusal (too many requests, with Retry-After) when the queue is full.
  async::Task<bool> matches(std::string network, std::string password, std::string hash);

  // How many hashes were computed so far.
  std::size_t computed() const { return computed_; }

 private:
  // One place in the queue, held while waiting and computing.
  class Place {
   public:
    Place(HashQueue& queue, std::string network);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    HashQueue& queue_;
    std::string network_;
  };

  async::BlockingPool& pool_;
  async::Limiter limiter_;
  std::atomic<std::size_t> computed_ = 0;
  std::mutex mutex_;  // guards taken_, by_network_
  std::size_t taken_ = 0;
  std::unordered_map<std::string, std::size_t> by_network_;
};

}  // namespace entrepot::auth
