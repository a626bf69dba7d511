// How far a long command is: a bar that redraws itself on a terminal, a line now and then
// elsewhere.
#pragma once

#include <cstdint>

#include "app/console.hpp"

namespace entrepot::app::commands {

class ProgressBar {
 public:
  explicit ProgressBar(Console& console) : console_(console) {}

  // In bytes; `total` 0: not known.
  void at(std::uint64_t done, std::uint64_t total);
  // Takes the bar away, so that a line can be written.
  void clear();

 private:
  Console& console_;
  std::uint64_t tenths_ = 0;  // lines written so far
  bool drawn_ = false;
};

}  // namespace entrepot::app::commands
