// One image from a rule's source to its target, as the rule wants it.
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/registry/copy.hpp"
#include "entrepot/registry/failure.hpp"
#include "replication/errand.hpp"

namespace entrepot::replication {

// Work was called off: by a stop, by its listener, by the end of a window. What was moved stays.
class CalledOff : public std::exception {
 public:
  const char* what() const noexcept override { return "called off"; }
};

// A manifest and the tags it is to have at the target.
struct Image {
  oci::RepositoryName from;  // in the source's words
  oci::RepositoryName to;    // in the target's words
  oci::Digest digest;
  std::vector<oci::Tag> tags{};
  std::optional<index::Version> version{};  // of the change at an entrepot source
  std::optional<bool> referrers{};          // instead of the rule's word
  // Of a rule that follows: what is to be settled once it is here, in the words of here.
  std::vector<index::Change> changes{};
};

// registry::copy with the rule's options; bytes are counted in metrics and status as they come. A
// refusal of ours is a failure; a source or target that is throttled rests from then on.
//
// `moved` (may be empty) hears of bytes; `called_off` (may be empty) is asked when they come: true
// ends the copy with CalledOff, as does errand->stopping.
async::Task<registry::Answer<registry::CopyTally>> carry(SharedErrand errand, Image image,
                                                         std::function<void(std::uint64_t)> moved,
                                                         std::function<bool()> called_off);

// The same, without moving anything. `counted`: by one dry run alone, for it takes for there what
// it counted once.
async::Task<registry::Answer<registry::CopyTally>> weigh(
    SharedErrand errand, Image image, std::shared_ptr<registry::Sightings> counted);

// Until when nothing should be asked, because source or target said so; in the past when neither
// has.
base::WallTime resting_until(const Errand& errand);

}  // namespace entrepot::replication
