// The URLs of one upstream in the order of the configuration, with a memory of how each has fared.
//
// A URL that failed a few times in a row rests, longer each time; then a single question probes it,
// and only its success opens it to everybody (reliability.md N-02). One that answered 429 is left
// alone until the time it asked for has passed (N-03). Thread-safe.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/base/clock.hpp"
#include "upstream/setback.hpp"

namespace entrepot::upstream {

class MirrorSet {
 public:
  MirrorSet(std::size_t urls, const base::Clock& clock);

  // The next URL to ask among those not in `tried` (one flag a URL): the healthy in order, then one
  // that is due a probe, which this takes. Absent when none may be asked now.
  std::optional<std::size_t> next(const std::vector<bool>& tried);
  // What to say when none may be asked.
  Setback why_none() const;

  // Any answer at all that is not the server's fault.
  void answered(std::size_t url);
  void failed(std::size_t url, const std::string& reason);
  void throttled(std::size_t url, std::chrono::seconds time);

 private:
  struct Health {
    unsigned failures = 0;  // in a row
    base::SteadyTime rests_until{};
    base::SteadyTime probed_until{};  // somebody is finding out
    base::SteadyTime throttled_until{};
    std::string last_failure;
  };
  bool healthy(const Health& health) const;

  const base::Clock& clock_;
  mutable std::mutex mutex_;  // guards health_
  std::vector<Health> health_;
};

}  // namespace entrepot::upstream
