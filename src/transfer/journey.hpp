// One adoption on its way: what everybody who carries something needs and counts.
#pragma once

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include "entrepot/transfer/adoption.hpp"

namespace entrepot::transfer {

// One thread; outlives the tasks that refer to it.
class Journey {
 public:
  Journey(const Adoption::House& house, AdoptionOptions options, index::Actor actor,
          Adoption::Listener listener)
      : house(house),
        options(std::move(options)),
        actor(std::move(actor)),
        listener_(std::move(listener)) {}

  const Adoption::House house;
  const AdoptionOptions options;
  const index::Actor actor;
  AdoptionReport report;

  bool stopped() const { return listener_.stop && listener_.stop(); }
  void trouble(std::string sentence) const {
    if (listener_.trouble) listener_.trouble(std::move(sentence));
  }
  void expect(std::uint64_t bytes) { total_ = bytes; }
  // Files that turned out bad: read, and told of, once.
  bool is_bad(const oci::Digest& digest) const { return bad_.contains(digest); }
  void add_bad(const oci::Digest& digest) {
    bad_.insert(digest);
    ++report.damaged;
  }
  // True the first time.
  bool meet(const oci::Digest& digest) { return met_.insert(digest).second; }
  void passed(std::uint64_t bytes) {
    done_ += bytes;
    if (listener_.bytes) listener_.bytes(done_, std::max(done_, total_));
  }
  // What nothing lists was not looked at.
  void arrived() { passed(total_ - std::min(done_, total_)); }

 private:
  Adoption::Listener listener_;
  std::unordered_set<oci::Digest> bad_;
  std::unordered_set<oci::Digest> met_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace entrepot::transfer
