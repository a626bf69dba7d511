// Pull-through: Local in front of another Source. Fresh answers come from here, everything else is
// asked for once, streamed to every client that wants it, verified, and kept.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "entrepot/async/offload.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/base/glob.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/registry/admission.hpp"
#include "entrepot/registry/source.hpp"
#include "entrepot/store/blob_store.hpp"

namespace entrepot::mirror {

struct FreshnessRule {
  std::chrono::milliseconds fresh{60'000};             // answered without asking
  std::chrono::milliseconds stale_while_revalidate{};  // then: answered, refreshed behind
  std::chrono::milliseconds stale_if_error{std::chrono::hours(24 * 30)};
  std::chrono::milliseconds negative{10'000};  // how long "there is no such thing" is believed
};

enum class Asking { allowed, never };             // never: offline mode
enum class Rollback { served, refused };          // M-14
enum class AbandonedFill { finish, economical };  // economical: C-08's rule

struct MirrorOptions {
  std::string
      name;  // the upstream's configured name: canonical repositories are <name>/<repository>
  FreshnessRule freshness{};
  Asking asking = Asking::allowed;
  Rollback rollback = Rollback::served;
  std::vector<std::string> pinned{};  // globs over "repository:tag": never asked again once held
  // For the first byte of a blob; clients give up on a head after 30 s. The fill goes on all the
  // same, and who asks again joins it.
  std::chrono::milliseconds patience{25'000};
};

// Every download of the process, one per digest whoever asks; shared by all mirrors. Thread-safe.
class FillTable {
 public:
  struct Collaborators {
    index::Index& index;
    store::BlobStore& store;
    registry::Admission& admission;
    async::BlockingPool& pool;
    const base::Clock& clock;
    base::Metrics& metrics;
  };
  FillTable(Collaborators collaborators, AbandonedFill abandoned);
  ~FillTable();

  // Ends every fill, keeping what it has on disk for the next start. Await once, at shutdown.
  async::Task<> stop();

  struct State;
  const std::shared_ptr<State>& state() const { return state_; }

 private:
  std::shared_ptr<State> state_;
};

// A Source whose names are the upstream's own. Everything outlives it.
std::unique_ptr<registry::Source> make_mirror(MirrorOptions options, registry::Source& upstream,
                                              FillTable& fills);

}  // namespace entrepot::mirror
