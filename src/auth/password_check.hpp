// Whether a name and a password belong together, asked as seldom and as evenly as can be.
//
// A verdict is kept for a minute, under a keyed hash of name, stored hash and password: it ends by
// itself when the user's entry changes. Names that are not there cost what others cost.
// Equal questions at the same time are one computation.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "auth/expiring_map.hpp"
#include "auth/failure_log.hpp"
#include "auth/hash_queue.hpp"
#include "auth/htpasswd.hpp"
#include "auth/keyed_hash.hpp"
#include "entrepot/async/single_flight.hpp"
#include "entrepot/base/clock.hpp"

namespace entrepot::auth {

// Thread-safe. Clock and pool must outlive it.
class PasswordCheck {
 public:
  static constexpr std::chrono::seconds verdict_lifetime{60};
  static constexpr std::size_t most_verdicts = 10'000;

  PasswordCheck(async::BlockingPool& pool, const base::Clock& clock);

  // Throws oci::Refusal (too many requests) when this name was guessed at too often from this
  // address, or when too many others log in.
  async::Task<bool> belong_together(std::shared_ptr<const PasswordTable> users, std::string name,
                                    std::string password, std::string remote);

  void forget_verdicts();
  std::size_t hashes_computed() const { return queue_->computed(); }

 private:
  std::optional<bool> known_verdict(const Fingerprint& question);
  void keep_verdict(const Fingerprint& question, bool verdict);
  void refuse_if_guessing(const Fingerprint& pair);

  const base::Clock& clock_;
  const KeyedHash keyed_;
  const std::shared_ptr<HashQueue> queue_;  // computations may outlive us
  FailureLog failures_;
  async::SingleFlight<Fingerprint, bool> flights_;
  std::mutex mutex_;  // guards verdicts_
  ExpiringMap<bool> verdicts_{most_verdicts};
};

}  // namespace entrepot::auth
