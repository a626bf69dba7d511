#include "replication/following.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "entrepot/base/log.hpp"
#include "replication/comparison.hpp"
#include "replication/repair.hpp"
#include "replication/run.hpp"

namespace entrepot::replication {

namespace {

using registry::Failure;
using registry::FeedPage;
using std::chrono::milliseconds;

constexpr std::size_t rows_at_once = 256;
constexpr std::chrono::seconds longest_wait(30);
constexpr std::chrono::minutes mend_every(10);
// Of two sites whose clocks are kept: further apart, the later change is not the one that wins.
constexpr std::chrono::minutes clocks_may_differ(5);

registry::FeedScope scope_of(const Rule& rule) {
  std::vector<std::string> globs;
  for (const auto& pattern : rule.repositories) {
    const auto* glob = std::get_if<Glob>(&pattern);
    if (glob == nullptr) return {};
    globs.push_back(glob->pattern);
  }
  return {.repositories = std::move(globs), .prefix = {}};
}

}  // namespace

Following::Following(SharedErrand errand, RunListener listener)
    : errand_(std::move(errand)),
      listener_(std::move(listener)),
      scope_(scope_of(errand_->rule->rule())),
      coverage_(coverage_of(errand_->rule->rule())),
      heard_(errand_->house.clock.steady()) {}

async::Task<Following::Outcome> Following::step(Pace pace) {
  if (!std::exchange(loaded_, true)) {
    position_ = co_await errand_->house.index.read(
        [this](const index::View& view) { return read_position(view, errand_->name()); });
  }
  auto page = co_await ask(pace);
  const auto& peer = errand_->rule->rule().from;
  if (!page) {
    if (is_silence(page.error().kind)) errand_->reach->lost(peer);
    tell_trouble();
    co_return page.error();
  }
  errand_->reach->heard(peer);
  heard_ = errand_->house.clock.steady();
  look_at_clock(*page);
  const bool known = position_ && position_->site == page->site &&
                     position_->journal == page->journal && position_->coverage == coverage_;
  if (!known) {
    if (auto trouble = co_await begin_at(*page)) co_return trouble;
    if (position_->since > 0 || page->gap) co_return std::nullopt;
  } else if (page->gap) {
    co_return co_await look_back(page->next);
  }
  co_return co_await deliver(std::move(*page));
}

async::Task<registry::Answer<FeedPage>> Following::ask(Pace pace) {
  const auto wait = pace == Pace::patient && in_step_ ? patience() : milliseconds(0);
  const auto since = position_ && position_->coverage == coverage_ ? position_->since : 0;
  co_return co_await errand_->from.feed->changes(scope_, since, rows_at_once, wait);
}

milliseconds Following::patience() const {
  if (!mended_) return milliseconds(0);
  const auto left = *mended_ + mend_every - errand_->house.clock.steady();
  return std::clamp<milliseconds>(std::chrono::ceil<milliseconds>(left), milliseconds(0),
                                  longest_wait);
}

// A peer, a Journal or a rule that is new to us: from its first row, which brings the history along
// and its order; what is dropped of it is looked for.
async::Task<Following::Outcome> Following::begin_at(const FeedPage& page) {
  const auto us = co_await errand_->house.index.read(&index::site_id);
  if (page.site == us) throw std::runtime_error("its peer is this site itself");
  base::log::info("follows a journal from its beginning",
                  {{"rule", errand_->name()}, {"site", page.site}, {"journal", page.journal}});
  const bool before = position_.has_value();
  Position begin{page.site, page.journal, coverage_, 0};
  if (!before && !page.gap) {
    position_ = std::move(begin);
    co_return std::nullopt;
  }
  // Asked with a number of another Journal, so the page says nothing.
  const auto kept = position_;
  position_ = std::move(begin);
  auto trouble = co_await look_back(page.newest);
  if (trouble) position_ = kept;
  co_return trouble;
}

// What rows do not tell is found otherwise; then it goes on with what comes after `then`, which was
// the newest before it was looked.
async::Task<Following::Outcome> Following::look_back(std::uint64_t then) {
  auto trouble = is_comparable(*errand_) ? co_await mend() : co_await run_whole();
  if (trouble) co_return trouble;
  auto position = *position_;
  position.since = then;
  co_await move_to(std::move(position));
  co_return std::nullopt;
}

async::Task<Following::Outcome> Following::run_whole() {
  const auto result = co_await run(errand_, {.origin = Origin::trigger, .listener = listener_});
  report_ += result.report;
  if (report_.error.empty()) report_.error = result.error;
  if (result.called_off) throw CalledOff();
  co_return std::nullopt;
}

async::Task<> Following::move_to(Position position) {
  co_await errand_->house.index.write(
      [&](index::Batch& batch) { write_position(batch, errand_->name(), position); });
  position_ = std::move(position);
}

async::Task<Following::Outcome> Following::deliver(FeedPage page) {
  in_step_ = page.next >= page.newest;
  std::erase_if(page.changes,
                [this](const auto& change) { return !errand_->rule->covers(change); });
  if (page.changes.empty() && page.next == position_->since) {
    tell_position(page, page.next, {});
  } else {
    DeliveryOrder order{.changes = std::exchange(page.changes, {}),
                        .position = position_,
                        .end = page.next,
                        .listener = listener_};
    order.settled = [this, &page](const std::optional<Position>& position, auto oldest) {
      tell_position(page, position->since, oldest);
    };
    Delivery delivery(errand_, setbacks_, std::move(order));
    auto delivered = co_await delivery.run();
    position_ = delivered.position;
    report_ += delivered.report;
    if (delivered.trouble) co_return delivered.trouble;
  }
  const bool time = !mended_ || errand_->house.clock.steady() - *mended_ >= mend_every;
  if (page.next >= page.newest && time && is_comparable(*errand_)) co_return co_await mend();
  if (!is_comparable(*errand_)) mended_ = errand_->house.clock.steady();
  co_return std::nullopt;
}

async::Task<Following::Outcome> Following::mend() {
  if (!is_comparable(*errand_)) co_return std::nullopt;
  auto repaired = co_await repair(errand_, setbacks_, listener_);
  if (!repaired) {
    tell_trouble();
    co_return std::move(repaired.error());
  }
  mended_ = errand_->house.clock.steady();
  report_ += repaired->report;
  if (repaired->different > 0) {
    base::log::info("compared with peer", {{"rule", errand_->name()},
                                           {"different", repaired->different},
                                           {"changed", repaired->report.changed},
                                           {"removed", repaired->report.removed},
                                           {"failed", repaired->report.failed}});
  }
  co_return std::nullopt;
}

// ---- what people see --------------------------------------------------------------------------

void Following::tell_position(const FeedPage& page, std::uint64_t since,
                              std::optional<base::WallTime> oldest) {
  // Of rows that were not told yet the age is not known: not less than that of those that were.
  if (!oldest && since < page.newest) oldest = page.now - lag_;
  lag_ = oldest ? std::max(page.now - *oldest, milliseconds(0)) : milliseconds(0);
  errand_->board.change([&](RuleStatus& status) {
    status.position = since;
    status.newest = std::max(page.newest, since);
    status.lag = lag_;
    status.last_error.clear();
  });
  errand_->house.metrics.replication_lag(errand_->name(),
                                         std::chrono::duration<double>(lag_).count(),
                                         errand_->board.now().waiting_bytes);
  if (lag_.count() > 0) return;
  const auto now = std::chrono::duration<double>(errand_->now().time_since_epoch());
  errand_->house.metrics.replication_succeeded(errand_->name(), now.count());
}

// Nobody tells how far behind we are: as far as since the last word.
void Following::tell_trouble() {
  const auto silent =
      std::chrono::duration_cast<milliseconds>(errand_->house.clock.steady() - heard_);
  const auto lag = lag_ + silent;
  errand_->board.change([lag](RuleStatus& status) { status.lag = lag; });
  errand_->house.metrics.replication_lag(errand_->name(),
                                         std::chrono::duration<double>(lag).count(),
                                         errand_->board.now().waiting_bytes);
}

// Heard of once, as long as it lasts; what is a day ahead is refused where it would be applied.
void Following::look_at_clock(const FeedPage& page) {
  const auto now = errand_->now();
  auto latest = page.now;
  for (const auto& change : page.changes) latest = std::max(latest, change.version.time);
  errand_->house.metrics.replication_clock_ahead(
      errand_->name(), std::chrono::duration<double>(page.now - now).count());
  const auto ahead = latest - now;
  const bool told = errand_->board.now().clock_ahead.has_value();
  const bool wrong = ahead > clocks_may_differ;
  errand_->board.change([wrong, ahead](RuleStatus& status) {
    status.clock_ahead = wrong ? std::optional(ahead) : std::nullopt;
  });
  if (!wrong || told) return;
  base::log::warn("a peer's clock is ahead of ours",
                  {{"rule", errand_->name()},
                   {"site", page.site},
                   {"seconds", std::chrono::duration_cast<std::chrono::seconds>(ahead).count()}});
}

}  // namespace entrepot::replication
