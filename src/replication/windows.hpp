// When a rule may move bytes: hours of local time, on some days of the week.
#pragma once

#include <vector>

#include "entrepot/base/clock.hpp"
#include "entrepot/replication/rule.hpp"

namespace entrepot::replication {

// A window past midnight belongs to the day it begins on; one that ends where it begins is a whole
// day. While clocks change the local reading counts, so a window may be an hour longer or shorter.
class Windows {
 public:
  // None: always open. Throws std::invalid_argument.
  explicit Windows(std::vector<Window> windows);

  bool open(base::WallTime now) const;
  // The first minute from `now` on at which it is open, or closed; a year from now when never.
  base::WallTime opens(base::WallTime now) const { return turns(now, true); }
  base::WallTime closes(base::WallTime now) const { return turns(now, false); }

 private:
  base::WallTime turns(base::WallTime now, bool to) const;

  std::vector<Window> windows_;
};

}  // namespace entrepot::replication
