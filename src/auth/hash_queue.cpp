#include "auth/hash_queue.hpp"

#include <algorithm>
#include <thread>

#include "auth/bcrypt.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::auth {
namespace {

constexpr std::chrono::seconds longest_wait(10);

// Half of the cores at most: the other half serves those who have a token or a cached verdict.
std::size_t at_once() { return std::clamp(std::thread::hardware_concurrency() / 2, 1U, 4U); }

oci::Refusal too_many() {
  oci::Refusal refusal(oci::ErrorCode::too_many_requests, "too many logins at once");
  refusal.retry_after = std::chrono::seconds(2);
  return refusal;
}

}  // namespace

HashQueue::HashQueue(async::BlockingPool& pool) : pool_(pool), limiter_(at_once()) {}

HashQueue::Place::Place(HashQueue& queue, std::string network)
    : queue_(queue), network_(std::move(network)) {
  const std::lock_guard lock(queue_.mutex_);
  const auto here = queue_.by_network_.find(network_);
  const bool crowded =
      here != queue_.by_network_.end() && here->second >= HashQueue::longest_of_one_network;
  if (crowded || queue_.taken_ >= HashQueue::longest) throw too_many();
  ++queue_.by_network_[network_];
  ++queue_.taken_;
}

HashQueue::Place::~Place() {
  const std::lock_guard lock(queue_.mutex_);
  --queue_.taken_;
  const auto here = queue_.by_network_.find(network_);
  if (--here->second == 0) queue_.by_network_.erase(here);
}

async::Task<bool> HashQueue::matches(std::string network, std::string password, std::string hash) {
  const Place place(*this, std::move(network));
  const auto permit = co_await limiter_.acquire(longest_wait);
  if (!permit) throw too_many();
  ++computed_;
  co_return co_await pool_.run([&password, &hash] { return bcrypt_matches(password, hash); });
}

}  // namespace entrepot::auth
