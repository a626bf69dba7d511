// A rule at work: who it is between, what is written down of it, how it stands. Shared by the task
// that obeys its trigger and by runs by hand, on whichever threads; its parts are thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "entrepot/registry/copy.hpp"
#include "entrepot/replication/replicator.hpp"
#include "replication/board.hpp"
#include "replication/compiled_rule.hpp"
#include "replication/reach.hpp"
#include "replication/rests.hpp"
#include "replication/waiting_list.hpp"

namespace entrepot::replication {

struct Errand {
  Errand(Replicator::House around, std::shared_ptr<const CompiledRule> compiled, Party source,
         Party target, std::shared_ptr<Rests> resting,
         std::shared_ptr<Reach> reached = std::make_shared<Reach>())
      : house(around),
        rule(std::move(compiled)),
        from(std::move(source)),
        to(std::move(target)),
        rests(std::move(resting)),
        reach(std::move(reached)),
        waiting(around.index, around.metrics, rule->name()),
        board(around.index, rule->name()) {}

  const std::string& name() const { return rule->name(); }
  // Whose doing its changes are, in the Journal of `here`.
  std::string actor() const { return "replication:" + name(); }
  base::WallTime now() const { return house.clock.wall(); }

  const Replicator::House house;
  const std::shared_ptr<const CompiledRule> rule;
  const Party from;
  const Party to;
  const std::shared_ptr<Rests> rests;
  const std::shared_ptr<Reach> reach;
  const std::shared_ptr<registry::Sightings> seen = std::make_shared<registry::Sightings>();
  WaitingList waiting;
  Board board;
  std::atomic<bool> stopping = false;
  // Runs in a row that heard nothing from the other side.
  std::atomic<unsigned> silent_runs = 0;
  // When referrers of images that were here already were looked for.
  std::atomic<base::WallTime> referrers_seen = base::WallTime{};
};
using SharedErrand = std::shared_ptr<Errand>;

}  // namespace entrepot::replication
