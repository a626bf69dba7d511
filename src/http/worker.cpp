#include "http/worker.hpp"

#include <algorithm>

namespace entrepot::http {

namespace {

using std::chrono::milliseconds;

// Often enough to keep the limits to a quarter, seldom enough to cost nothing.
milliseconds look_interval(const ServerLimits& limits) {
  const auto shortest = std::min({limits.header, limits.idle, limits.stall, limits.rate_window});
  return std::clamp(shortest / 4, milliseconds(5), milliseconds(250));
}

PaceRule pace_rule(const ServerLimits& limits) {
  const auto looks = limits.rate_window / look_interval(limits);
  const auto least =
      limits.least_bytes_per_second * static_cast<std::uint64_t>(limits.rate_window.count()) / 1000;
  return {.looks = static_cast<unsigned>(std::max<std::int64_t>(looks, 1)), .least = least};
}

}  // namespace

Worker::Worker(async::asio::io_context& c, std::shared_ptr<Service> s)
    : context(c),
      service(std::move(s)),
      sentinel(c, look_interval(service->limits), pace_rule(service->limits)) {}

void Worker::drain() {
  for (const auto& listener : listeners) {
    boost::system::error_code ignored;
    listener->cancel(ignored);
  }
  sentinel.dismiss_idle();
}

}  // namespace entrepot::http
