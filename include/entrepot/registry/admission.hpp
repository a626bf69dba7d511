// The one door by which bytes become believed: a verified Spool becomes a blob of the store and a
// row of the index, while nobody may remove that digest (reliability.md rules 8, 34, 35).
//
// Push, fill, adoption and replication come through it; the collector holds the same stripe while
// it removes. So a file and its row appear and vanish as one, whoever else is at work.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>

#include "entrepot/async/limiter.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/store/blob_store.hpp"

namespace entrepot::registry {

// Thread-safe. `index`, `store`, `clock` and `metrics` outlive it.
class Admission {
 public:
  Admission(index::Index& index, store::BlobStore& store, const base::Clock& clock,
            base::Metrics& metrics);
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  using Stripe = async::Limiter::Permit;
  // Alone with this digest (and those that share its stripe) until the Stripe is given back. Never
  // take two at once.
  async::Task<Stripe> alone_with(oci::Digest digest);
  // Who is alone with a digest is alone with all of the same number.
  static std::size_t stripe_of(const oci::Digest& digest) {
    return std::to_integer<std::size_t>(digest.raw().front());
  }

  // store.commit, then one transaction: the blob's row, and what `with` adds (the link that earned
  // it); durable when it returns. `with` may run more than once and may throw oci::Refusal (a
  // quota): then the file is removed again unless somebody else has it. Throws what commit throws;
  // what the index throws when it is full. A caller that is cancelled leaves at worst a file that
  // nobody knows, for the collector's reconciliation.
  async::Task<> admit(std::unique_ptr<store::Spool> spool, oci::Digest digest,
                      std::function<void(index::Batch&)> with);
  // The same for who holds the stripe already and repeats the transaction (a fill).
  async::Task<> admit_held(std::unique_ptr<store::Spool> spool, oci::Digest digest,
                           std::function<void(index::Batch&)> with);
  // Row and `with` alone, for a file that lies in the store whole and verified: brought there, or
  // found there and hashed. REQUIRES: the caller holds the stripe since before it was put or found.
  async::Task<> record(oci::Digest digest, std::uint64_t size,
                       std::function<void(index::Batch&)> with);

 private:
  async::Task<> take_back(oci::Digest digest);

  index::Index& index_;
  store::BlobStore& store_;
  const base::Clock& clock_;
  base::Metrics& metrics_;
  std::array<std::unique_ptr<async::Limiter>, 256> stripes_;
};

}  // namespace entrepot::registry
