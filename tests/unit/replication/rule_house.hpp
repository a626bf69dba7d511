// A registry of our own with rules between it, a far registry and another one, all in memory.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "replication/errand.hpp"
#include "replication/run.hpp"
#include "support/memory_place.hpp"
#include "unit/registry/place_house.hpp"

namespace entrepot::replication {

inline registry::Failure failure(registry::FailureKind kind,
                                 std::string message = "as the test wants") {
  return {.kind = kind, .message = std::move(message)};
}

// The Journal of a MemoryPlace, as far as latest() tells it.
class ScriptedFeed final : public registry::Feed {
 public:
  std::map<std::pair<std::string, std::string>, index::Change> rows;
  int asked = 0;
  bool broken = false;

  void add(const std::string& repository, const std::string& text, const oci::Digest& to,
           std::int64_t time) {
    index::Change change{.repository = test::name(repository)};
    change.tag = test::tag(text);
    change.to = to;
    change.version = {.time = base::WallTime(base::Milliseconds(time)), .site = "far"};
    rows.insert_or_assign({repository, text}, change);
  }
  async::Task<registry::Answer<registry::FeedPage>> changes(registry::FeedScope, std::uint64_t,
                                                            std::size_t,
                                                            std::chrono::milliseconds) override {
    co_return registry::FeedPage{};
  }
  async::Task<registry::Answer<std::vector<registry::Summary>>> summaries(
      registry::FeedScope, std::vector<std::string>) override {
    co_return std::vector<registry::Summary>();
  }
  async::Task<registry::Answer<std::vector<registry::SummaryItem>>> items(
      registry::FeedScope, std::vector<std::string>) override {
    co_return std::vector<registry::SummaryItem>();
  }
  async::Task<registry::Answer<std::vector<index::Change>>> latest(
      registry::FeedScope, std::vector<registry::TagName> tags) override {
    ++asked;
    if (broken) co_return std::unexpected(failure(registry::FailureKind::broken));
    std::vector<index::Change> found;
    for (const auto& one : tags) {
      const auto row = rows.find({one.repository.text(), one.reference.text()});
      if (row != rows.end()) found.push_back(row->second);
    }
    co_return found;
  }
};

class RuleHouse : public test::PlaceHouse {
 protected:
  static Rule from_far() { return {.name = "r", .from = "far"}; }
  static Rule to_other() {
    auto rule = from_far();
    rule.to = "other";
    return rule;
  }

  Party party(const Rule& rule, const std::string& name) {
    if (name == here) {
      return {.place = std::make_shared<registry::LocalPlace>(house(), "replication:" + rule.name)};
    }
    if (name == "far") return {.place = far_, .feed = feed_, .warm = warm_};
    return {.place = other_};
  }
  Replicator::House surroundings() { return {facts_, clock_, metrics_}; }
  SharedErrand errand(const Rule& rule) {
    return std::make_shared<Errand>(surroundings(), std::make_shared<const CompiledRule>(rule),
                                    party(rule, rule.from), party(rule, rule.to), rests_);
  }

  RunResult run_rule(const SharedErrand& errand, Origin origin = Origin::trigger) {
    RunOrder order;
    order.origin = origin;
    return run(replication::run(errand, std::move(order)));
  }
  RunResult run_rule(const SharedErrand& errand, RunOrder order) {
    return run(replication::run(errand, std::move(order)));
  }
  // What waits and is due.
  RunResult retry(const SharedErrand& errand) {
    RunOrder order;
    order.selection.emplace();
    for (const auto& item : run(errand->waiting.due(clock_.wall(), 1000))) {
      (*order.selection)[item.repository].insert(item.reference);
    }
    return run_rule(errand, std::move(order));
  }
  WaitingList::Items waiting(const SharedErrand& errand) { return run(errand->waiting.items()); }

  using PlaceHouse::run;

  std::shared_ptr<test::MemoryPlace> far_ = std::make_shared<test::MemoryPlace>();
  std::shared_ptr<test::MemoryPlace> other_ = std::make_shared<test::MemoryPlace>();
  std::shared_ptr<registry::Feed> feed_;
  decltype(Party::warm) warm_;
  std::shared_ptr<Rests> rests_ = std::make_shared<Rests>();
};

}  // namespace entrepot::replication
