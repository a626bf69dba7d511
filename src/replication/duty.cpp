#include "replication/duty.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "entrepot/base/backoff.hpp"
#include "entrepot/base/log.hpp"
#include "entrepot/oci/refusal.hpp"
#include "replication/crew.hpp"
#include "replication/follower.hpp"

namespace entrepot::replication {

namespace {

using std::chrono::milliseconds;

// Wall clocks jump: nobody sleeps longer than this without looking at one.
constexpr std::chrono::seconds longest_nap(30);
constexpr std::size_t retries_at_once = 256;
constexpr std::chrono::seconds longest_turn_slice(1);
// Between two welcomes: one that answers other questions is not back for what waits.
constexpr base::Patience between_welcomes{.first = std::chrono::seconds(10),
                                          .longest = std::chrono::minutes(10)};
constexpr base::Patience after_failure{.first = std::chrono::seconds(5),
                                       .longest = std::chrono::minutes(10)};

void log_run(const Errand& errand, const std::string& trigger, const RunResult& result,
             milliseconds took) {
  const auto& report = result.report;
  const auto level = result.error.empty() ? base::log::Level::info : base::log::Level::warn;
  base::log::write(level, "replication run",
                   {{"rule", errand.name()},
                    {"trigger", trigger},
                    {"repositories", report.repositories},
                    {"tags", report.tags},
                    {"changed", report.changed},
                    {"removed", report.removed},
                    {"failed", report.failed},
                    {"put_off", report.put_off},
                    {"blobs", report.copied.blobs_moved},
                    {"bytes", report.copied.bytes},
                    {"ms", took.count()},
                    {"called_off", result.called_off ? "yes" : "no"},
                    {"error", result.error}});
}

Selection selection_of(const std::vector<ItemName>& items) {
  Selection selection;
  for (const auto& item : items) selection[item.repository].insert(item.reference);
  return selection;
}

RunReport report_of(RunResult result) {
  auto report = std::move(result.report);
  report.error = std::move(result.error);
  if (result.called_off && report.error.empty()) report.error = "called off";
  return report;
}

}  // namespace

Duty::Duty(SharedErrand errand) : errand_(std::move(errand)) {}

void Duty::set_state(const char* state) {
  errand_->board.change([state](RuleStatus& status) { status.state = state; });
}

// A run that was cancelled leaves no word of its own.
void Duty::rest() {
  errand_->board.change([](RuleStatus& status) {
    if (status.state != "failed") status.state = "idle";
  });
}

// ---- begin and end ----------------------------------------------------------------------------

void Duty::start(std::shared_ptr<Duty> self, async::Executor executor,
                 std::shared_ptr<Duty> before) {
  {
    const std::lock_guard lock(self->mutex_);
    self->executor_ = executor;
    self->running_ = true;
  }
  async::spawn_cancellable(executor, live(self, std::move(before)), "replication",
                           self->signal_.slot(), [self] {
                             self->rest();
                             {
                               const std::lock_guard lock(self->mutex_);
                               self->running_ = false;
                             }
                             self->ended_.notify_all();
                           });
}

void Duty::stop(std::shared_ptr<Duty> self) {
  self->errand_->stopping = true;
  std::optional<async::Executor> executor;
  {
    const std::lock_guard lock(self->mutex_);
    executor = self->executor_;
  }
  if (executor) async::spawn(*executor, cancel(self), "replication");
  self->stirred().notify_all();
}

// On the task's own thread, where alone it can be cancelled.
async::Task<> Duty::cancel(std::shared_ptr<Duty> self) {
  self->signal_.emit(async::asio::cancellation_type::terminal);
  co_return;
}

bool Duty::over() const {
  const std::lock_guard lock(mutex_);
  return !running_;
}

async::Task<> Duty::ended() {
  for (;;) {
    std::uint64_t ticket = 0;
    {
      const std::lock_guard lock(mutex_);
      if (!running_) co_return;
      ticket = ended_.ticket();
    }
    co_await ended_.wait(ticket);
  }
}

async::Task<> Duty::live(std::shared_ptr<Duty> self, std::shared_ptr<Duty> before) {
  if (before) co_await before->ended();
  co_await self->errand_->board.load();
  co_await self->errand_->waiting.load();
  if (self->errand_->rule->follows()) {
    co_await side_by_side(2, 2, [&self](std::size_t which) {
      return which == 0 ? self->follow_in_windows() : self->obey();
    });
  } else {
    co_await self->obey();
  }
}

// ---- runs -------------------------------------------------------------------------------------

async::Task<RunResult> Duty::recorded(RunOrder order, std::string trigger) {
  const auto begun = errand_->house.clock.steady();
  const bool whole = !order.selection;
  const bool by_hand = order.origin == Origin::hand;
  if (whole) co_await errand_->board.started(errand_->now());
  if (!errand_->rule->follows()) set_state("running");
  RunResult result;
  std::optional<oci::Refusal> refused;
  try {
    result = co_await run(errand_, std::move(order));
  } catch (const oci::Refusal& refusal) {
    refused = refusal;
    result.error = refusal.detail;
  }
  const auto now = errand_->now();
  // What was only broken off has not ended: a later life of this daemon goes on with it. A person
  // who stops a run means it.
  if (whole && (by_hand || !result.called_off)) co_await errand_->board.ended(now, result.error);
  if (!errand_->rule->follows()) set_state(refused ? "failed" : "idle");
  if (result.error.empty() && !result.called_off && whole) {
    const auto seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
    errand_->house.metrics.replication_succeeded(errand_->name(), seconds);
  }
  log_run(*errand_, trigger, result,
          std::chrono::duration_cast<milliseconds>(errand_->house.clock.steady() - begun));
  if (refused) throw *refused;
  co_return result;
}

// One at a time.
async::Task<RunResult> Duty::take_turn(RunOrder order, std::string trigger) {
  for (;;) {
    const auto permit = co_await turn_.acquire(longest_turn_slice);
    if (errand_->stopping || (order.listener.stop && order.listener.stop())) {
      co_return RunResult{.report = {}, .error = "called off", .called_off = true};
    }
    if (permit) co_return co_await recorded(std::move(order), std::move(trigger));
  }
}

async::Task<RunReport> Duty::run_by_hand(Trial trial, RunListener listener) {
  co_await errand_->board.load();
  if (trial == Trial::real && errand_->rule->follows()) {
    co_return co_await catch_up(errand_, std::move(listener));
  }
  RunOrder order{.origin = Origin::hand, .trial = trial, .listener = std::move(listener)};
  if (trial == Trial::dry) co_return report_of(co_await run(errand_, std::move(order)));
  co_return report_of(co_await take_turn(std::move(order), "hand"));
}

// ---- triggers ---------------------------------------------------------------------------------

async::Task<> Duty::obey() {
  const auto before = errand_->board.now();
  due_ = errand_->rule->due(before.last_started, errand_->now());
  unfinished_ = due_ && before.last_started && before.last_ended < before.last_started;
  while (!errand_->stopping) {
    try {
      co_await one_turn();
      failures_ = 0;
      continue;
    } catch (const oci::Refusal&) {
      ++failures_;  // the run has said why
    } catch (const std::exception& error) {
      const auto* trouble = dynamic_cast<const boost::system::system_error*>(&error);
      if (trouble != nullptr && trouble->code() == async::asio::error::operation_aborted) throw;
      ++failures_;
      base::log::error(
          "replication rule failed",
          {{"rule", errand_->name()}, {"failures", failures_}, {"error", error.what()}});
    }
    // A rule that failed as a whole is tried again before its next time.
    const auto pause = base::backoff(failures_, base::draw_jitter(), {}, after_failure);
    unfinished_ = due_.has_value();
    co_await stirred().wait(stirred().ticket(), pause);
  }
}

async::Task<Duty::Call> Duty::next_call() {
  const auto waiting = co_await errand_->waiting.next_due();
  const auto resting = resting_until(*errand_);
  const auto whole = unfinished_ ? std::optional(errand_->now()) : due_;
  if (whole && (!waiting || *whole <= *waiting)) co_return Call{true, std::max(*whole, resting)};
  if (waiting && may_retry()) co_return Call{false, std::max(*waiting, resting)};
  co_return Call{};
}

// Whoever follows hears at once when its peer is back; until then nothing can come from there.
bool Duty::may_retry() const {
  const auto& rule = *errand_->rule;
  return !rule.follows() || !errand_->reach->is_away(rule.rule().from);
}

// Who was away is back: what waits because of that is due. When to look again.
async::Task<base::WallTime> Duty::welcome() {
  const auto& rule = errand_->rule->rule();
  const auto& reach = *errand_->reach;
  const auto returns = reach.returns(rule.from) + reach.returns(rule.to);
  const bool away = reach.is_away(rule.from) || reach.is_away(rule.to);
  if (returns == returns_ || away) co_return base::WallTime::max();
  const auto now = errand_->now();
  if (next_welcome_ > now) co_return next_welcome_;
  returns_ = returns;
  const auto hurried = co_await errand_->waiting.hurry(now);
  if (hurried == 0) co_return base::WallTime::max();
  next_welcome_ = now + base::backoff(++vain_welcomes_, base::draw_jitter(), {}, between_welcomes);
  base::log::info("registry is back: what waited for it is tried",
                  {{"rule", errand_->name()}, {"items", hurried}});
  co_return base::WallTime::max();
}

async::Task<> Duty::rest_until(base::WallTime time, std::uint64_t ticket) {
  const auto left = std::chrono::ceil<milliseconds>(time - errand_->now());
  co_await stirred().wait(ticket, std::clamp<milliseconds>(left, milliseconds(1), longest_nap));
}

async::Task<> Duty::one_turn() {
  const auto ticket = stirred().ticket();
  const auto look_again = co_await welcome();
  const auto call = co_await next_call();
  const auto now = errand_->now();
  if (!call.at || *call.at > now) {
    co_await rest_until(std::min(look_again, call.at.value_or(now + longest_nap)), ticket);
    co_return;
  }
  const auto opens = errand_->rule->windows().opens(now);
  if (opens > now) {
    if (!errand_->rule->follows()) set_state("waiting for its window");
    co_await rest_until(opens, ticket);
    co_return;
  }
  co_await answer(call);
}

async::Task<> Duty::answer(Call call) {
  RunOrder order{.until = errand_->rule->windows().closes(errand_->now())};
  if (!call.whole) {
    order.selection = selection_of(co_await errand_->waiting.due(errand_->now(), retries_at_once));
    const auto result = co_await take_turn(std::move(order), "waiting items");
    if (result.report.changed > 0) vain_welcomes_ = 0;
    co_return;
  }
  const auto begun = errand_->now();
  unfinished_ = false;
  due_ = errand_->rule->due(begun, errand_->now());
  const auto result = co_await take_turn(std::move(order), "schedule");
  unfinished_ = result.called_off;
}

// ---- following --------------------------------------------------------------------------------

async::Task<> Duty::follow_once() {
  set_state("following");
  const auto closes = errand_->rule->windows().closes(errand_->now());
  const auto left = std::chrono::ceil<milliseconds>(closes - errand_->now());
  co_await at_most(follow(errand_), left);
}

async::Task<> Duty::follow_in_windows() {
  for (unsigned failures = 0; !errand_->stopping;) {
    const auto ticket = stirred().ticket();
    const auto opens = errand_->rule->windows().opens(errand_->now());
    if (opens > errand_->now()) {
      set_state("waiting for its window");
      co_await rest_until(opens, ticket);
      continue;
    }
    std::string error;
    try {
      co_await follow_once();
      failures = 0;
      continue;
    } catch (const boost::system::system_error& trouble) {
      if (trouble.code() == async::asio::error::operation_aborted) throw;
      error = trouble.what();
    } catch (const std::exception& trouble) {
      error = trouble.what();
    }
    set_state("failed");
    base::log::error("following failed", {{"rule", errand_->name()}, {"error", error}});
    co_await errand_->board.ended(errand_->now(), error);
    co_await stirred().wait(ticket,
                            base::backoff(++failures, base::draw_jitter(), {}, after_failure));
  }
}

}  // namespace entrepot::replication
