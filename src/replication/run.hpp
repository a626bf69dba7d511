// One run of a rule: its plan, and what the plan says, done.
#pragma once

#include <optional>
#include <string>

#include "entrepot/async/task.hpp"
#include "replication/errand.hpp"
#include "replication/plan.hpp"

namespace entrepot::replication {

struct RunOrder {
  std::optional<Selection> selection{};  // none: all that the rule covers
  Origin origin = Origin::trigger;
  Trial trial = Trial::real;
  RunListener listener{};
  base::WallTime until = base::WallTime::max();  // its window closes
};

struct RunResult {
  RunReport report{};
  std::string error{};      // a sentence, when not all went well
  bool called_off = false;  // there is more to do
};

// Four images at a time; what fails goes to the waiting list and stops nothing else; when the other
// side cannot be reached at all, what is left does, too. A run by trigger leaves alone what waits
// for its own time. Throws oci::Refusal when there is no plan, operation_aborted when cancelled;
// what was moved stays.
async::Task<RunResult> run(SharedErrand errand, RunOrder order);

}  // namespace entrepot::replication
