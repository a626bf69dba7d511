// Whether a client moves its bytes fast enough (reliability.md R-02), told from looks at regular
// intervals. Only looks at a client that is being waited for count, so neither our own work nor a
// process that was stopped for a while is held against anybody.
#pragma once

#include <cstdint>
#include <optional>

namespace entrepot::http {

struct PaceRule {
  unsigned looks = 120;      // in a window
  std::uint64_t least = 30;  // bytes in each window but the first
};

class Pace {
 public:
  void begin() { *this = Pace(); }

  // One look at a client that is waited for, whose byte counter stands at `progress`; false when a
  // whole window has brought too little.
  bool keeps(const PaceRule& rule, std::uint64_t progress) {
    if (++looks_ < rule.looks) return true;
    const bool slow = before_ && progress - *before_ < rule.least;
    looks_ = 0;
    before_ = progress;
    return !slow;
  }

 private:
  unsigned looks_ = 0;
  std::optional<std::uint64_t> before_;  // progress at the end of the last window
};

}  // namespace entrepot::http
