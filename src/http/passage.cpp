#include "http/passage.hpp"

#include <algorithm>

namespace entrepot::http {
namespace {

using Buckets = std::vector<std::shared_ptr<TokenBucket>>;

// A wait shorter than this is not worth a pause; it stays in the bucket as debt.
constexpr std::chrono::milliseconds worth_waiting(2);

constexpr double least_buffer = 32 * 1024;
// The kernel gives nobody more than this unless it was told to (net.core.rmem_max).
constexpr double most_buffer = 208 * 1024;
// What one connection of replication shall be able to carry when nothing limits it.
constexpr double fast_line = 64e6;

Passage::Duration take(const Buckets& buckets, std::uint64_t count) {
  Passage::Duration longest{};
  for (const auto& bucket : buckets) longest = std::max(longest, bucket->take(count));
  return longest;
}

}  // namespace

Passage::Passage(std::shared_ptr<Lane> lane) : lane_(std::move(lane)) { moved(0); }

bool Passage::stands_back() const {
  return lane_ && lane_->line && lane_->priority == Priority::replication;
}

bool Passage::restrained() const { return lane_ && (!lane_->bytes.empty() || stands_back()); }

void Passage::moved(std::uint64_t bytes) {
  if (lane_ && lane_->line && !stands_back()) lane_->line->interactive(bytes);
}

bool Passage::carry(std::uint64_t bytes) { return !stands_back() || lane_->line->carry(bytes); }

Passage::Duration Passage::charge(std::uint64_t bytes) {
  if (!lane_) return {};
  const auto wait = take(lane_->bytes, bytes);
  return wait < worth_waiting ? Duration{} : wait;
}

Passage::Duration Passage::stand_back(std::uint64_t bytes) {
  return stands_back() ? lane_->line->replication(bytes, turn_) : Duration{};
}

std::optional<int> Passage::receive_buffer(std::chrono::microseconds rtt) const {
  if (!restrained()) return std::nullopt;
  auto rate = fast_line;
  for (const auto& bucket : lane_->bytes)
    rate = std::min(rate, static_cast<double>(bucket->per_second()));
  const auto seconds = std::chrono::duration<double>(rtt).count();
  const auto wanted = std::max(2 * rate * seconds, least_buffer);
  if (wanted > most_buffer) return std::nullopt;
  return static_cast<int>(wanted);
}

std::chrono::nanoseconds request_wait(const Lane* lane) {
  return lane != nullptr ? take(lane->requests, 1) : Passage::Duration{};
}

}  // namespace entrepot::http
