// Tells the followers of a Fill about new bytes, but not more often than they can use: sixty-four
// readers woken for every 16 KiB would cost more than the bytes. Lives in the coroutine that
// writes.
#pragma once

#include <chrono>
#include <cstdint>

#include "entrepot/async/deadline.hpp"
#include "mirror/fill.hpp"

namespace entrepot::mirror {

class Pulse {
 public:
  Pulse(Fill& fill, async::Executor executor)
      : fill_(fill), flush_(std::move(executor), [this] { beat(); }) {}

  void wrote(std::uint64_t written) {
    written_ = written;
    if (std::chrono::steady_clock::now() - last_ >= step) return beat();
    if (armed_) return;
    armed_ = true;
    flush_.arm(step);
  }

 private:
  static constexpr std::chrono::milliseconds step{10};

  void beat() {
    armed_ = false;
    last_ = std::chrono::steady_clock::now();
    fill_.publish(written_);
  }

  Fill& fill_;
  std::uint64_t written_ = 0;
  bool armed_ = false;
  std::chrono::steady_clock::time_point last_{};
  async::Deadline flush_;
};

}  // namespace entrepot::mirror
