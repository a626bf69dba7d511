// Replication as the operator asks for it: runs by hand as work for upkeep::Jobs, and who the peers
// are.
//
//   sync RULE    a line each item: {"repository", "reference", "outcome": "copied"|"removed"|
//                "conflict"|"failed"|"postponed"; of a dry run "copy"|"remove"|"conflict"|
//                "failed"}
//                summary: {"rule", "dry_run", "repositories", "tags", "changed", "removed",
//                "failed", "put_off", "error": a sentence when not all was done, "manifests",
//                "manifests_held", "blobs_moved", "blobs_mounted", "blobs_held", "bytes"}
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/replication/replicator.hpp"
#include "entrepot/upkeep/jobs.hpp"

namespace entrepot::api {

// A registry that rules may name, and what it said when it was asked just now.
struct PeerCard {
  std::string name;
  std::string kind;  // entrepot, registry, upstream
  std::vector<std::string> urls;
  std::string error{};                     // why it could not be reached; empty: it could
  std::string site{};                      // of an entrepot: its id
  std::optional<std::uint64_t> newest{};   // of an entrepot: the newest row of its Journal
  std::optional<std::uint64_t> allowed{};  // manifests it still gives our account, if it tells
};

struct Replication {
  replication::Replicator* replicator = nullptr;  // null: 405
  std::function<async::Task<std::vector<PeerCard>>()> peers{};
};

// `replicator` outlives the job.
upkeep::Jobs::Work sync_work(replication::Replicator& replicator, std::string rule,
                             replication::Trial trial);

}  // namespace entrepot::api
