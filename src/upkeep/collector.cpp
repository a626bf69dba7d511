#include "entrepot/upkeep/collector.hpp"

#include "entrepot/base/log.hpp"
#include "entrepot/index/collection.hpp"
#include "upkeep/clock_watch.hpp"
#include "upkeep/digests.hpp"
#include "upkeep/links.hpp"
#include "upkeep/reconcile.hpp"
#include "upkeep/round.hpp"

namespace entrepot::upkeep {

namespace {

constexpr std::size_t history_rows_a_transaction = 1000;

// Tells the metrics of a round's end, however it ends.
class Measured {
 public:
  explicit Measured(const Collector::House& house) : house_(house), began_(house.clock.steady()) {
    house_.metrics.collection_started();
  }
  Measured(const Measured&) = delete;
  Measured& operator=(const Measured&) = delete;
  ~Measured() {
    const std::chrono::duration<double> took = house_.clock.steady() - began_;
    const std::chrono::duration<double> now = house_.clock.wall().time_since_epoch();
    house_.metrics.collection_ended(outcome_, took.count(), now.count());
  }

  void ended(std::string_view outcome) { outcome_ = outcome; }

 private:
  const Collector::House& house_;
  const base::SteadyTime began_;
  std::string_view outcome_ = "failed";
};

// Whether to keep hands off, and why.
bool must_wait(Round& round, ClockWatch& watch) {
  round.report.clock_jumped = watch.jump_within(round.options.grace).has_value();
  round.report.too_early = !round.house.leases.armed();
  return round.report.clock_jumped || round.report.too_early;
}

async::Task<> drop_history(Round& round) {
  const auto before = round.now - round.options.history;
  for (bool more = true; more && !round.stopped();) {
    const auto dropped = co_await round.house.index.write([&](index::Batch& batch) {
      return index::drop_history(batch, before, history_rows_a_transaction);
    });
    more = dropped == history_rows_a_transaction;
  }
}

async::Task<> collect(Round& round) {
  auto& house = round.house;
  if (!round.dry) co_await drop_history(round);
  if (round.options.untagged == Untagged::remove) co_await collect_manifest_links(round);
  co_await collect_blob_links(round);
  if (!round.stopped()) co_await collect_digests(round);
  if (!round.stopped()) co_await set_unknown_files_aside(round);
  if (!round.stopped()) co_await forget_lost_blobs(round);
  if (round.dry || round.stopped()) co_return;
  round.report.trash_bytes = co_await house.pool.run(
      [&] { return house.store.empty_trash(round.now - round.options.trash); });
}

void log_report(const Round& round) {
  const auto& report = round.report;
  base::log::info(round.dry ? "collection rehearsed" : "collection ended",
                  {{"links", report.links},
                   {"manifests", report.manifests},
                   {"blobs", report.blobs},
                   {"bytes", report.bytes},
                   {"unknown_files", report.unknown_files},
                   {"lost_rows", report.lost_rows},
                   {"trash_bytes", report.trash_bytes},
                   {"looked_at", report.looked_at}});
}

}  // namespace

Collector::Collector(House house)
    : house_(house), watch_(std::make_unique<ClockWatch>(house.clock)) {}
Collector::~Collector() = default;

async::Task<Report> Collector::round(CollectorOptions options, Trial trial,
                                     std::function<void(const Removal&)> tell,
                                     std::function<bool()> stop) {
  Round round(house_, options, trial, std::move(tell), std::move(stop));
  const bool wait = must_wait(round, *watch_);
  if (wait && !round.dry) co_return round.report;
  Measured measured(house_);
  co_await collect(round);
  if (!round.dry) house_.metrics.collected(round.report.bytes + round.report.trash_bytes);
  measured.ended(round.dry ? "rehearsed" : "done");
  log_report(round);
  co_return round.report;
}

}  // namespace entrepot::upkeep
