#include "auth/failure_log.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <span>

namespace entrepot::auth {

std::string network_of(std::string_view remote) {
  constexpr std::size_t network_size = 8;
  constexpr std::array<char, 12> mapped_ipv4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '\xff', '\xff'};
  std::string text(remote);
  std::array<char, 16> address{};
  if (inet_pton(AF_INET6, text.c_str(), address.data()) != 1) return text;
  if (std::ranges::equal(std::span(address).first<12>(), mapped_ipv4)) return text;
  return {address.data(), network_size};
}

std::optional<std::chrono::seconds> FailureLog::refused_for(const Fingerprint& pair,
                                                            base::SteadyTime now) {
  const std::lock_guard lock(mutex_);
  const auto* const count = counts_.find(pair, now);
  if (count == nullptr || count->failures < most_failures) return std::nullopt;
  return std::chrono::ceil<std::chrono::seconds>(count->until - now);
}

void FailureLog::note_failure(const Fingerprint& pair, base::SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (auto* const count = counts_.find(pair, now)) {
    ++count->failures;
  } else {
    counts_.put(pair, Count{1, now + window}, now + window);
  }
}

void FailureLog::forget(const Fingerprint& pair) {
  const std::lock_guard lock(mutex_);
  counts_.erase(pair);
}

}  // namespace entrepot::auth
