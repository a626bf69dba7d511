// The running fills of the process, one for a digest whoever asks.
//
// A fill stays in the table until its blob is visible in the index, or until its Spool is put away:
// so there is never a moment in which a blob is neither held nor being fetched, and never a second
// Spool for a digest.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <variant>
#include <vector>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/mirror/mirror.hpp"
#include "mirror/fill.hpp"

namespace entrepot::mirror {

class Download;

// Thread-safe.
struct FillTable::State : std::enable_shared_from_this<FillTable::State> {
  State(Collaborators collaborators, AbandonedFill rule) : house(collaborators), abandoned(rule) {}

  enum class Place { started, joined };
  struct Admitted {
    Seat seat;
    Place place;
  };
  // Somebody else's fill: prove that this repository may have the digest, then enter entitled.
  struct Stranger {
    std::shared_ptr<Fill> fill;
  };
  // A fill that is about to leave the table: wait until it is gone, then enter again.
  struct Closing {
    std::shared_ptr<Fill> fill;
  };
  using Entrance = std::variant<Admitted, Stranger, Closing>;

  // Joins the fill of this digest or starts one on `executor`. Throws oci::Refusal (unavailable)
  // once stop() was called.
  Entrance enter(const Origin& origin, Fill::Entitled entitled, const async::Executor& executor);

  // Size of a blob being fetched that this repository has earned; absent when unknown.
  std::optional<std::uint64_t> size_of(const oci::Digest& digest,
                                       const oci::RepositoryName& repository) const;

  void remove(const oci::Digest& digest);

  const Collaborators house;
  const AbandonedFill abandoned;

  mutable std::mutex mutex;  // guards downloads and stopping
  std::map<oci::Digest, std::shared_ptr<Download>> downloads;
  bool stopping = false;
  async::Broadcast left;  // a fill has left the table

 private:
  // REQUIRES: mutex held.
  Entrance join(const std::shared_ptr<Fill>& fill, const Origin& origin, Fill::Entitled entitled);
};

}  // namespace entrepot::mirror
