// Wrong passwords, counted by name and address: who guesses is slowed down, and nobody else
// (reliability.md A-13).
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "auth/expiring_map.hpp"

namespace entrepot::auth {

// The part of a client's address one party holds: all of IPv4, /64 of IPv6.
std::string network_of(std::string_view remote);

// Thread-safe. Keys are fingerprints of (name, network).
class FailureLog {
 public:
  static constexpr int most_failures = 10;
  static constexpr std::chrono::seconds window{60};

  // How long this pair is refused without a look at its password; absent: not at all.
  std::optional<std::chrono::seconds> refused_for(const Fingerprint& pair, base::SteadyTime now);
  void note_failure(const Fingerprint& pair, base::SteadyTime now);
  void forget(const Fingerprint& pair);

 private:
  struct Count {
    int failures = 0;
    base::SteadyTime until;
  };
  std::mutex mutex_;  // guards counts_
  ExpiringMap<Count> counts_{10'000};
};

}  // namespace entrepot::auth
