// Keeps what the rules say in step: plans, copies, follows peers' Journals, repairs what the feed
// missed, tries again what failed; remembers all of it in the index over restarts.
//
// Made by the app with the Places and Feeds its rules name; sees other registries only through
// them. Used by api (sync, status) and app (start, stop). Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/registry/copy.hpp"
#include "entrepot/registry/feed.hpp"
#include "entrepot/registry/sink.hpp"
#include "entrepot/replication/rule.hpp"

namespace entrepot::replication {

// A registry as the rules name it. The Place and Feed of a rule are its own, for they carry its
// limits; both outlive the Replicator.
struct Party {
  std::shared_ptr<registry::Place> place;
  // Of entrepot sites only. Of `here`, our own: rules that follow compare summaries by it.
  std::shared_ptr<registry::Feed> feed{};
  // Of `here`: a change of another site, made inside a transaction under the rules of this registry
  // (registry::Writer::apply; throws oci::Refusal). Empty: index::apply_change.
  std::function<index::Applied(index::Batch& batch, const index::Change& change)> apply{};
  // Of an upstream that is mirrored here: fetches what a tag stands for there into the mirror, for
  // rules of tags pulled lately. `name` is the upstream's own.
  std::function<async::Task<registry::Answer<registry::CopyTally>>(oci::RepositoryName name,
                                                                   oci::Tag tag)>
      warm{};
};

// Finds who a rule speaks of; throws std::invalid_argument with a sentence for the operator.
using Parties = std::function<Party(const Rule& rule, const std::string& name)>;

struct RuleStatus {
  std::string rule;
  std::string from{};
  std::string to{};
  std::string state;  // idle, waiting for its window, running, following, failed
  std::optional<base::WallTime> last_started{};
  std::optional<base::WallTime> last_ended{};
  std::string last_error{};                        // of the rule as a whole
  std::uint64_t position = 0;                      // follow: in the peer's Journal
  std::uint64_t newest = 0;                        // follow: the peer's newest row
  std::optional<std::chrono::milliseconds> lag{};  // follow: age of the oldest change not applied
  // follow: how far the peer's clock, or that of a change it told of, is ahead of ours; absent
  // while that is less than 5 min.
  std::optional<std::chrono::milliseconds> clock_ahead{};
  std::uint64_t waiting = 0;        // items that failed and are tried again
  std::uint64_t waiting_bytes = 0;  // of what is being moved: known and not moved yet
  registry::CopyTally total{};      // since the start
  std::uint64_t repaired = 0;       // items that summaries found and the feed had missed
};

// An item that failed.
struct WaitingItem {
  std::string rule;
  std::string repository;
  std::string reference;
  unsigned tries = 0;
  base::WallTime next_try{};
  std::string error;
};

// What a run would do, or did.
struct RunReport {
  std::uint64_t repositories = 0;
  std::uint64_t tags = 0;     // the rule covers
  std::uint64_t changed = 0;  // to be set, or set
  std::uint64_t removed = 0;
  std::uint64_t failed = 0;
  std::uint64_t put_off = 0;  // not tried to the end, for the other side rests or is silent
  registry::CopyTally copied{};
  std::string error{};  // a sentence, when not all was done

  // The first sentence stays.
  RunReport& operator+=(const RunReport& other);
};

// As a run goes on; calls come from its thread, one at a time.
struct RunListener {
  std::function<void(std::uint64_t done, std::uint64_t total)> bytes{};  // total 0: not known
  std::function<void(std::uint64_t done, std::uint64_t total)> images{};
  // copied, removed, conflict (stays as it is here), failed, postponed (put off); a dry run: copy,
  // remove, conflict, failed
  std::function<void(std::string repository, std::string reference, std::string outcome)> item{};
  std::function<bool()> stop{};
};

enum class Trial { real, dry };

class Replicator {
 public:
  struct House {
    index::Index& index;
    const base::Clock& clock;
    base::Metrics& metrics;
  };
  Replicator(House house, std::vector<Rule> rules, Parties parties);
  ~Replicator();
  Replicator(const Replicator&) = delete;
  Replicator& operator=(const Replicator&) = delete;

  // Obeys triggers and follows from now on.
  void start(async::Executor executor);
  // Ends what runs; what was moved stays. Await once, at shutdown.
  async::Task<> stop();
  // Rules taken while running: those that stay as they are go on undisturbed, of the others what
  // they moved and where they stood is kept by name. Throws std::invalid_argument as it was made.
  void replace(std::vector<Rule> rules);

  // One run of a rule at once, whatever its trigger and windows say. Throws std::invalid_argument
  // when there is no such rule, or it is for bundles, registry failures as oci::Refusal.
  async::Task<RunReport> run(std::string rule, Trial trial, RunListener listener);

  // What a rule covers of its source now, for a bundle, and how much of each image it wants. Throws
  // oci::Refusal when something could not be asked for: nothing is left out in silence.
  struct Covered {
    std::shared_ptr<registry::Place> source;
    oci::RepositoryName repository;
    oci::Tag tag;
    oci::Digest digest;
    oci::RepositoryName target;               // what the rule calls the repository
    std::optional<index::Version> version{};  // of the tag, where the source knows
  };
  struct Coverage {
    std::vector<Covered> images;
    std::vector<std::string> platforms;
    bool referrers = true;
  };
  async::Task<Coverage> covered(std::string rule);
  // What of that was deleted here, as far as the Journal still knows, called as the rule calls it;
  // of a rule for bundles that follows deletions. Asked after covered(), it knows of what was
  // deleted meanwhile.
  async::Task<std::vector<index::Change>> deleted(std::string rule);

  async::Task<std::vector<RuleStatus>> status();
  async::Task<std::vector<WaitingItem>> waiting(std::string rule);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace entrepot::replication
