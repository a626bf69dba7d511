// How much of a thin line an exchange with another server may take: token buckets measured where
// bytes come from and go to the socket, and priority of people's pulls over replication.
//
// http::Client keeps to the Lane of a ClientRequest. What an exchange waits for its Lane counts
// against no limit of the server's. Connections of replication get small socket buffers, so that
// little goes by a limit, or is under way when people come.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "entrepot/base/clock.hpp"
#include "entrepot/base/metrics.hpp"

namespace entrepot::http {

// Bytes a second, or requests a second; a burst of at most a tenth of a second. Thread-safe; the
// clock outlives it.
class TokenBucket {
 public:
  TokenBucket(std::uint64_t per_second, const base::Clock& clock)
      : per_second_(std::max<std::uint64_t>(per_second, 1)), clock_(clock) {}

  // Takes `count` and tells how long to wait before acting on it: until what was taken before is
  // paid. Who waits has a place in the queue: the order of the calls.
  std::chrono::nanoseconds take(std::uint64_t count);

  std::uint64_t per_second() const { return per_second_; }

 private:
  const std::uint64_t per_second_;
  const base::Clock& clock_;
  std::mutex mutex_;  // guards free_at_
  base::SteadyTime free_at_{};
};

enum class Priority { interactive, replication };

// What several servers share: a site's uplink. Interactive exchanges pass at once; replication
// stands back while any of them began or moved a byte within the last tenth of a second.
//
// Replication never starves: while it stands back, all of it together still moves `trickle` bytes a
// second: three hundredths of the best second this line has had (the memory of which halves in a
// minute), at least 64 KiB. Its exchanges take turns in this. Thread-safe.
class Line {
 public:
  static constexpr std::chrono::milliseconds quiet{100};
  static constexpr std::uint64_t least_trickle = 64 * 1024;

  // Both outlive it. What passes is counted: entrepot_line_bytes_total, entrepot_line_yields_total.
  Line(const base::Clock& clock, base::Metrics& metrics) : clock_(clock), metrics_(metrics) {}

  // An interactive exchange begins (0 bytes), or has moved some.
  void interactive(std::uint64_t bytes);

  // Bytes of replication are there: whether they may pass at once (and are counted), because nobody
  // else is there.
  bool carry(std::uint64_t bytes);
  // If not, an exchange of replication wants to move `bytes`: how long it stands back before it
  // asks again; 0: go, they are counted. `turn` belongs to the exchange, which keeps it between two
  // calls.
  using Turn = std::optional<base::SteadyTime>;
  std::chrono::nanoseconds replication(std::uint64_t bytes, Turn& turn);

 private:
  void count(std::uint64_t bytes, base::SteadyTime now);
  std::uint64_t trickle() const;

  const base::Clock& clock_;
  base::Metrics& metrics_;
  std::mutex mutex_;                  // guards everything below
  base::SteadyTime standing_till_{};  // when the line will have been quiet, if nobody comes
  base::SteadyTime trickled_till_{};  // when the next turn is free
  base::SteadyTime second_began_{};
  std::uint64_t second_ = 0;  // bytes in it
  std::uint64_t best_ = 0;
};

std::shared_ptr<Line> make_line(const base::Clock& clock, base::Metrics& metrics);

struct Lane {
  Priority priority = Priority::interactive;
  std::shared_ptr<Line> line{};                       // null: nobody stands back
  std::vector<std::shared_ptr<TokenBucket>> bytes{};  // of peer, rule and class: each must allow it
  std::vector<std::shared_ptr<TokenBucket>> requests{};
};

}  // namespace entrepot::http
