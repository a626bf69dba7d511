// How much of a thin line an exchange with another server may take: token buckets measured where
// bytes come from and go to the socket, and priority of people's pulls over replication.
//
// A Line is what several servers share (a site's uplink). Interactive exchanges pass at once;
// replication stands back while any of them moves bytes on the same Line, but never below a trickle
// that keeps its connections alive. Thread-safe; one of each is shared by many exchanges.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"

namespace entrepot::http {

// Bytes a second, or requests a second; a burst of at most a quarter of a second.
class TokenBucket {
 public:
  TokenBucket(std::uint64_t per_second, const base::Clock& clock);
  // Takes `count` and tells how long to wait before acting on it.
  std::chrono::milliseconds take(std::uint64_t count);

 private:
  const std::uint64_t per_second_;
  const base::Clock& clock_;
  std::mutex mutex_;  // guards free_at_
  base::SteadyTime free_at_{};
};

enum class Priority { interactive, replication };

class Line;
std::shared_ptr<Line> make_line(const base::Clock& clock);

struct Lane {
  Priority priority = Priority::interactive;
  std::shared_ptr<Line> line{};                       // null: nobody stands back
  std::vector<std::shared_ptr<TokenBucket>> bytes{};  // of peer, rule and class: each must allow it
  std::vector<std::shared_ptr<TokenBucket>> requests{};
};

}  // namespace entrepot::http
