// One exchange on its Lane: how long it waits before it moves bytes, and what others on the line
// hear of it. Nothing to do for an exchange without a Lane.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "entrepot/http/lane.hpp"

namespace entrepot::http {

class Passage {
 public:
  using Duration = std::chrono::nanoseconds;

  // The exchange begins.
  explicit Passage(std::shared_ptr<Lane> lane);

  // Whether it may have to wait between its bytes at all.
  bool restrained() const;
  // It has moved so many.
  void moved(std::uint64_t bytes);
  // Whether so many more, which are there, may pass it at once; if not, stand_back() says when.
  bool carry(std::uint64_t bytes);

  // Before it moves `bytes`: first what its buckets say, once; then how long it stands back for
  // people, again and again until that is nothing.
  Duration charge(std::uint64_t bytes);
  Duration stand_back(std::uint64_t bytes);

  // The receive buffer of its socket, for a round trip of `rtt`: what keeps its rate and little
  // more. Absent when the kernel shall find out: it does for a reader that waits, it is only slow
  // to take back what it gave to a fast one.
  std::optional<int> receive_buffer(std::chrono::microseconds rtt) const;

 private:
  bool stands_back() const;

  std::shared_ptr<Lane> lane_;
  Line::Turn turn_;
};

// Before a request is sent.
std::chrono::nanoseconds request_wait(const Lane* lane);

}  // namespace entrepot::http
