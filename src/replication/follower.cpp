#include "replication/follower.hpp"

#include <algorithm>
#include <utility>

#include "entrepot/base/backoff.hpp"
#include "entrepot/base/log.hpp"
#include "entrepot/oci/refusal.hpp"
#include "replication/carry.hpp"
#include "replication/following.hpp"

namespace entrepot::replication {

namespace {

using registry::Failure;
using std::chrono::milliseconds;

constexpr base::Patience with_peers{.first = std::chrono::milliseconds(500),
                                    .longest = std::chrono::seconds(10)};
// By hand: nobody looks on for ever.
constexpr unsigned most_troubles = 6;
// Where nobody listens, nothing has begun yet that would be worth waiting for.
constexpr unsigned most_refusals = 3;
constexpr std::chrono::minutes longest_rest(5);

milliseconds pause_after(unsigned troubles, const Failure& trouble) {
  return base::backoff(troubles, base::draw_jitter(), trouble.retry_after, with_peers);
}

void tell(const SharedErrand& errand, unsigned troubles, const Failure& trouble) {
  errand->board.change([&trouble](RuleStatus& status) { status.last_error = trouble.message; });
  const auto level = troubles == 1 ? base::log::Level::warn : base::log::Level::debug;
  base::log::write(level, "peer could not be followed",
                   {{"rule", errand->name()}, {"in_a_row", troubles}, {"error", trouble.message}});
}

async::Task<> let_rest(SharedErrand errand) {
  const auto left = std::chrono::ceil<milliseconds>(resting_until(*errand) - errand->now());
  if (left.count() > 0) co_await async::sleep_for(std::min<milliseconds>(left, longest_rest));
}

async::Task<> follow_on(SharedErrand errand) {
  Following following(errand, {});
  for (unsigned troubles = 0; !errand->stopping;) {
    co_await let_rest(errand);
    const auto trouble = co_await following.step(Following::Pace::patient);
    if (!trouble) {
      troubles = 0;
      continue;
    }
    tell(errand, ++troubles, *trouble);
    co_await async::sleep_for(pause_after(troubles, *trouble));
  }
}

// One thing a following does, again after a pause when the line is to blame.
enum class Begun { no, yes };
async::Task<> insist(SharedErrand errand, Begun begun,
                     std::function<async::Task<std::optional<Failure>>()> thing) {
  for (unsigned troubles = 1;; ++troubles) {
    const auto trouble = co_await thing();
    if (!trouble) co_return;
    const bool refused = begun == Begun::no && trouble->kind == registry::FailureKind::broken;
    if (troubles >= (refused ? most_refusals : most_troubles))
      registry::refuse(*trouble, registry::Subject::repository);
    tell(errand, troubles, *trouble);
    co_await async::sleep_for(pause_after(troubles, *trouble));
  }
}

// What the peer's Journal has at this moment.
async::Task<std::optional<Failure>> ask_newest(SharedErrand errand, std::uint64_t& newest) {
  const auto page = co_await errand->from.feed->changes({}, 0, 1, milliseconds(0));
  if (!page) co_return page.error();
  newest = page->newest;
  co_return std::nullopt;
}

}  // namespace

async::Task<> follow(SharedErrand errand) {
  try {
    co_await follow_on(errand);
  } catch (const CalledOff&) {
    base::log::debug("following was called off", {{"rule", errand->name()}});
  }
}

async::Task<RunReport> catch_up(SharedErrand errand, RunListener listener) {
  Following following(errand, listener);
  bool called_off = false;
  try {
    std::uint64_t newest = 0;
    co_await insist(errand, Begun::no, [&] { return ask_newest(errand, newest); });
    do {
      co_await insist(errand, Begun::yes, [&] { return following.step(Following::Pace::brisk); });
    } while (following.since() < newest && !errand->stopping);
    co_await insist(errand, Begun::yes, [&] { return following.mend(); });
  } catch (const CalledOff&) {
    base::log::debug("catching up was called off", {{"rule", errand->name()}});
    called_off = true;
  }
  auto report = following.report();
  if (called_off && report.error.empty()) report.error = "called off";
  co_return report;
}

}  // namespace entrepot::replication
