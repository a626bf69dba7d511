// Online collection: takes out of local repositories what nothing refers to any more, while pushes
// and pulls go on (reliability.md rules 30 to 37).
//
//   links     for each link of a local repository: nothing holds it (index::hold_of), it is older
//             than grace, nobody has a lease on it -> the link goes. Manifests first, with those
//             that fall after them, then blobs.
//   digests   for each digest without a link: alone with it (registry::Admission), closed against
//             leases, looked at again inside the transaction -> its rows go, then its file.
//   store     files without a row older than grace -> trash; rows without a file -> reported and
//             forgotten, unless they are too many to be believed; trash older than its time is
//             emptied.
//
// Every step is small: some hundred rows a transaction, other work between. Any error ends the
// round with nothing half done. Made and run by the app; one round at a time.
//
// A wall clock that was set removes nothing (K-01): ages are never negative, and for one grace
// period after a forward jump of more than ten minutes was seen nothing is removed. One that was
// set while the daemon was down meets the leases.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "entrepot/async/offload.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/registry/admission.hpp"
#include "entrepot/registry/leases.hpp"
#include "entrepot/store/blob_store.hpp"

namespace entrepot::upkeep {

enum class Untagged { keep, remove };
enum class Trial { real, dry_run };

struct CollectorOptions {
  // Nothing younger goes, nor what somebody was promised who has kept to it since.
  std::chrono::milliseconds grace{std::chrono::hours(1)};
  std::chrono::milliseconds trash{std::chrono::hours(24)};
  std::chrono::milliseconds history{std::chrono::days(30)};
  Untagged untagged = Untagged::keep;
};

// One thing that goes (or would), and why.
struct Removal {
  enum class Kind { link, blob, manifest, unknown_file, lost_row };
  Kind kind = Kind::link;
  std::string repository;  // of a link
  oci::Digest digest;
  std::uint64_t bytes = 0;
  std::string_view reason;  // a literal: "untagged", "listed by nothing", ...
};
std::string_view to_string(Removal::Kind kind);

struct Report {
  std::uint64_t links = 0;
  std::uint64_t manifests = 0;
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;  // of blobs, freed on disk
  std::uint64_t unknown_files = 0;
  std::uint64_t lost_rows = 0;
  std::uint64_t trash_bytes = 0;  // emptied; a dry run does not know
  std::uint64_t looked_at = 0;    // rows and files
  bool too_early = false;         // promises given before are not known: nothing was removed
  bool clock_jumped = false;      // nothing was removed, for one grace period
};

class ClockWatch;

class Collector {
 public:
  struct House {
    index::Index& index;
    store::BlobStore& store;
    registry::Admission& admission;
    registry::LeaseTable& leases;
    async::BlockingPool& pool;
    const base::Clock& clock;
    base::Metrics& metrics;
  };
  explicit Collector(House house);
  ~Collector();

  // `tell` hears of each removal, as it is done; `stop` is asked between steps, also from other
  // threads. A dry run removes nothing and tells the same (as of now). Throws what index and store
  // throw; then everything removed so far was rightly removed.
  async::Task<Report> round(CollectorOptions options, Trial trial,
                            std::function<void(const Removal&)> tell,
                            std::function<bool()> stop = {});

 private:
  House house_;
  std::unique_ptr<ClockWatch> watch_;
};

}  // namespace entrepot::upkeep
