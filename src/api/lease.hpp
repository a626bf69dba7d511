// Promises to those who may build on what they are told is here (reliability.md rule 32).
#pragma once

#include <optional>
#include <utility>

#include "api/call.hpp"

namespace entrepot::api {

// Whether whoever asks may push to the very repository that answers: then a positive answer is a
// promise.
bool may_build_on(const Call& call);

// Whether whoever asks may begin a repository under this name, for which the default upstream
// answers meanwhile. What that upstream has is not what a push finds here.
bool may_claim(const Call& call);

// A lease taken before the index is read for the answer, given back unless the answer was positive.
class Promise {
 public:
  Promise() = default;
  Promise(registry::LeaseTable& leases, const oci::Digest& digest, registry::Promisee to)
      : leases_(&leases), digest_(digest), to_(to) {}
  Promise(Promise&& other) noexcept
      : leases_(std::exchange(other.leases_, nullptr)), digest_(other.digest_), to_(other.to_) {}
  Promise& operator=(Promise&& other) noexcept {
    std::swap(leases_, other.leases_);
    std::swap(digest_, other.digest_);
    std::swap(to_, other.to_);
    return *this;
  }
  ~Promise() {
    if (leases_ != nullptr) leases_->give_back(*digest_, to_);
  }

  void stands() { leases_ = nullptr; }

 private:
  registry::LeaseTable* leases_ = nullptr;
  std::optional<oci::Digest> digest_;
  registry::Promisee to_ = registry::Promisee::nobody_known;
};

async::Task<Promise> promise(const Call& call, oci::Digest digest);

}  // namespace entrepot::api
