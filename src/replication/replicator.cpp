#include "entrepot/replication/replicator.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "entrepot/oci/refusal.hpp"
#include "replication/duty.hpp"
#include "replication/survey.hpp"
#include "replication/tombstones.hpp"

namespace entrepot::replication {

RunReport& RunReport::operator+=(const RunReport& other) {
  repositories += other.repositories;
  tags += other.tags;
  changed += other.changed;
  removed += other.removed;
  failed += other.failed;
  put_off += other.put_off;
  copied += other.copied;
  if (error.empty()) error = other.error;
  return *this;
}

using Duties = std::map<std::string, std::shared_ptr<Duty>>;

namespace {

std::string name_of(const ItemName& item) {
  return item.repository.text() + (item.reference.empty() ? "" : ":" + item.reference);
}

[[noreturn]] void refuse_gaps(const std::vector<Trouble>& troubles) {
  const auto& [item, failure] = troubles.front();
  const auto others = troubles.size() - 1;
  throw oci::Refusal(oci::ErrorCode::unavailable,
                     name_of(item) + " could not be asked for: " + failure.message +
                         (others > 0 ? ", and so with " + std::to_string(others) + " more" : ""));
}

[[noreturn]] void refuse_name(const Found& found) {
  throw oci::Refusal(oci::ErrorCode::name_invalid,
                     "the rule's rename makes no name of " + found.repository.text());
}

}  // namespace

struct Replicator::State {
  State(House around, Parties who) : house(around), parties(std::move(who)) {}

  Duties make(std::vector<Rule> rules) const;
  Duties unchanged(std::vector<Rule>& rules) const;
  std::shared_ptr<Duty> duty(const std::string& rule) const;
  std::vector<std::shared_ptr<Duty>> all() const;

  const House house;
  const Parties parties;
  const std::shared_ptr<Rests> rests = std::make_shared<Rests>();
  const std::shared_ptr<Reach> reach = std::make_shared<Reach>();
  mutable std::mutex mutex;  // guards what follows
  Duties duties;
  std::vector<std::shared_ptr<Duty>> retired;  // replaced, may still be ending
  std::optional<async::Executor> executor;
};

Duties Replicator::State::make(std::vector<Rule> rules) const {
  Duties made;
  for (auto& rule : rules) {
    const auto compiled = std::make_shared<const CompiledRule>(std::move(rule));
    auto from = parties(compiled->rule(), compiled->rule().from);
    auto to = parties(compiled->rule(), compiled->rule().to);
    if (compiled->follows() && !from.feed) {
      throw std::invalid_argument("rule " + compiled->name() + " follows " + compiled->rule().from +
                                  ", which is no entrepot site");
    }
    if (compiled->rule().pulled_within && !from.warm) {
      throw std::invalid_argument("rule " + compiled->name() + " is for tags pulled lately, but " +
                                  compiled->rule().from + " is not mirrored here");
    }
    auto errand =
        std::make_shared<Errand>(house, compiled, std::move(from), std::move(to), rests, reach);
    if (!made.emplace(compiled->name(), std::make_shared<Duty>(std::move(errand))).second) {
      throw std::invalid_argument("two rules are called " + compiled->name());
    }
  }
  return made;
}

std::shared_ptr<Duty> Replicator::State::duty(const std::string& rule) const {
  const std::lock_guard lock(mutex);
  const auto found = duties.find(rule);
  if (found == duties.end()) throw std::invalid_argument("there is no rule called " + rule);
  return found->second;
}

std::vector<std::shared_ptr<Duty>> Replicator::State::all() const {
  const std::lock_guard lock(mutex);
  std::vector<std::shared_ptr<Duty>> found;
  for (const auto& [name, duty] : duties) found.push_back(duty);
  return found;
}

Replicator::Replicator(House house, std::vector<Rule> rules, Parties parties)
    : state_(std::make_shared<State>(house, std::move(parties))) {
  state_->duties = state_->make(std::move(rules));
}

Replicator::~Replicator() = default;

void Replicator::start(async::Executor executor) {
  const std::lock_guard lock(state_->mutex);
  state_->executor = executor;
  for (const auto& [name, duty] : state_->duties) Duty::start(duty, executor, nullptr);
}

async::Task<> Replicator::stop() {
  const auto state = state_;
  std::vector<std::shared_ptr<Duty>> ending = state->all();
  for (const auto& duty : ending) Duty::stop(duty);
  {
    const std::lock_guard lock(state->mutex);
    ending.insert(ending.end(), state->retired.begin(), state->retired.end());
  }
  for (const auto& duty : ending) co_await duty->ended();
}

// Takes out of `rules` those that are obeyed as they are.
Duties Replicator::State::unchanged(std::vector<Rule>& rules) const {
  const std::lock_guard lock(mutex);
  Duties same;
  std::erase_if(rules, [&](const Rule& rule) {
    const auto found = duties.find(rule.name);
    if (found == duties.end() || found->second->errand().rule->rule() != rule) return false;
    return same.emplace(rule.name, found->second).second;
  });
  return same;
}

void Replicator::replace(std::vector<Rule> rules) {
  auto same = state_->unchanged(rules);
  auto made = state_->make(std::move(rules));
  for (const auto& [name, duty] : same) {
    if (made.contains(name)) throw std::invalid_argument("two rules are called " + name);
  }
  const std::lock_guard lock(state_->mutex);
  auto old = std::exchange(state_->duties, std::move(made));
  for (const auto& [name, duty] : same) old.erase(name);
  for (const auto& [name, duty] : old) {
    Duty::stop(duty);
    state_->retired.push_back(duty);
  }
  std::erase_if(state_->retired, [](const auto& duty) { return duty->over(); });
  for (const auto& [name, duty] : state_->duties) {
    if (!state_->executor) break;
    const auto before = old.find(name);
    Duty::start(duty, *state_->executor, before == old.end() ? nullptr : before->second);
  }
  state_->duties.merge(same);
}

async::Task<RunReport> Replicator::run(std::string rule, Trial trial, RunListener listener) {
  const auto duty = state_->duty(rule);
  if (!duty->errand().to.place) throw std::invalid_argument("rule " + rule + " is for bundles");
  co_return co_await duty->run_by_hand(trial, std::move(listener));
}

async::Task<Replicator::Coverage> Replicator::covered(std::string rule) {
  const auto duty = state_->duty(rule);
  const auto seen = co_await survey(duty->shared_errand(), std::nullopt);
  const auto& errand = duty->errand();
  if (!seen.troubles.empty()) refuse_gaps(seen.troubles);
  Coverage all{.images = {},
               .platforms = errand.rule->rule().platforms,
               .referrers = errand.rule->rule().referrers};
  for (const auto& found : seen.found) {
    if (!found.tag) continue;
    auto target = errand.rule->target(found.repository);
    if (!target) refuse_name(found);
    all.images.push_back({errand.from.place, found.repository, *found.tag, found.digest,
                          std::move(*target), found.version});
  }
  co_return all;
}

async::Task<std::vector<index::Change>> Replicator::deleted(std::string rule) {
  const auto duty = state_->duty(rule);
  const auto& of = duty->errand().rule->rule();
  if (of.to != in_bundles || of.deletions != Deletions::follow) {
    co_return std::vector<index::Change>();
  }
  co_return co_await tombstones(duty->shared_errand());
}

async::Task<std::vector<RuleStatus>> Replicator::status() {
  const auto state = state_;
  std::vector<RuleStatus> all;
  for (const auto& duty : state->all()) {
    auto& errand = duty->errand();
    co_await errand.board.load();
    co_await errand.waiting.load();
    auto status = errand.board.now();
    status.from = errand.rule->rule().from;
    status.to = errand.rule->rule().to;
    status.waiting = errand.waiting.size();
    all.push_back(std::move(status));
  }
  co_return all;
}

async::Task<std::vector<WaitingItem>> Replicator::waiting(std::string rule) {
  const auto duty = state_->duty(rule);
  std::vector<WaitingItem> all;
  for (const auto& [item, waiting] : co_await duty->errand().waiting.items()) {
    all.push_back({.rule = rule,
                   .repository = item.repository.text(),
                   .reference = item.reference,
                   .tries = waiting.tries,
                   .next_try = waiting.next_try,
                   .error = waiting.error});
  }
  co_return all;
}

}  // namespace entrepot::replication
