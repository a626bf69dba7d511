#include "app/upkeep_timers.hpp"

#include <algorithm>

#include "app/reception.hpp"
#include "entrepot/base/log.hpp"

namespace entrepot::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds key_interval{10};
// How soon a change of the configuration is seen by what has its times from there.
constexpr seconds look_interval{1};
constexpr milliseconds least_sweep_interval{1'000};
constexpr milliseconds most_sweep_interval{60'000};

}  // namespace

UpkeepTimers::UpkeepTimers(House& house, Doors& doors)
    : house_(house),
      doors_(doors),
      schedule_(
          {{"leases", seconds(1), seconds(1), [this] { return age_leases(); }},
           {"keys", key_interval, key_interval, [this] { return read_changed_keys(); }},
           {"upload sweep", {}, look_interval, [this] { return sweep_uploads(); }},
           {"collection", look_interval, look_interval, [this] { return collect_when_due(); }}}) {}

async::Task<> UpkeepTimers::age_leases() {
  house_.leases.tick();
  co_return;
}

async::Task<> UpkeepTimers::read_changed_keys() {
  co_await house_.pool.run([this] { doors_.reload_changed_keys(); });
}

async::Task<> UpkeepTimers::sweep_uploads() {
  const auto now = steady_clock::now();
  if (now < next_sweep_) co_return;
  const auto expire = house_.policy.now()->options().uploads.expire;
  next_sweep_ = now + std::clamp(expire / 2, least_sweep_interval, most_sweep_interval);
  const auto swept = co_await house_.uploads.sweep();
  if (swept.sessions > 0) {
    base::log::info("uploads expired", {{"sessions", swept.sessions}, {"bytes", swept.bytes}});
  }
}

// The first round comes as soon as one may remove anything: a daemon that is restarted every day
// must not stay uncollected for ever.
async::Task<> UpkeepTimers::collect_when_due() {
  const auto every = house_.collecting.now()->every;
  const auto now = steady_clock::now();
  const bool first = last_round_ == steady_clock::time_point{};
  if (every == every.zero() || !house_.leases.armed()) co_return;
  if (!first && now - last_round_ < every) co_return;
  last_round_ = now;
  const auto executor = co_await async::this_executor();
  // Absent when the operator's own round runs: that one serves as well.
  house_.jobs.start(executor, "collection", collection_work(house_, {}));
}

}  // namespace entrepot::app
