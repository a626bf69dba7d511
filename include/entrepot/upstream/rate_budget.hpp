// How many manifests an account may still ask its upstream for, as the upstream's answers tell
// (Docker Hub: `RateLimit-Remaining: 76;w=21600`), so that replication leaves a reserve to people.
//
// One for each account: shared by the mirror's Remote and every Place of the same upstream.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "entrepot/base/clock.hpp"

namespace entrepot::upstream {

struct RateLimit {
  std::uint64_t remaining = 0;
  std::optional<std::uint64_t> limit{};          // in a window
  std::optional<std::chrono::seconds> window{};  // that slides, or begins anew
};

// Thread-safe. An origin is a URL's ("https://host:port").
class RateBudget {
 public:
  explicit RateBudget(const base::Clock& clock) : clock_(clock) {}

  // An answer's word.
  void heard(const std::string& origin, const RateLimit& limit);
  // A 429: nothing is to be asked for so long.
  void throttled(const std::string& origin, std::chrono::seconds time);

  // Whether replication may ask now; if not, how long to wait. A manifest that it asks for is taken
  // from what remains. What was heard long ago is doubted: then one question finds out.
  enum class Cost { nothing, manifest };
  std::optional<std::chrono::seconds> wait(const std::string& origin, Cost cost,
                                           std::uint64_t reserve);

  // As last heard; absent: never.
  std::optional<RateLimit> known(const std::string& origin) const;

 private:
  struct Entry {
    std::optional<RateLimit> limit{};
    base::SteadyTime doubted_from{};  // when `limit` was heard, or somebody went to find out
    base::SteadyTime throttled_until{};
  };

  const base::Clock& clock_;
  mutable std::mutex mutex_;  // guards entries_
  std::map<std::string, Entry> entries_;
};

}  // namespace entrepot::upstream
