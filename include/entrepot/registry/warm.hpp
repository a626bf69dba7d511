// Fills a mirror ahead of need: the same walk as copy(), into the mirror itself.
#pragma once

#include <cstdint>
#include <functional>

#include "entrepot/async/task.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/registry/copy.hpp"
#include "entrepot/registry/source.hpp"

namespace entrepot::registry {

struct WarmOrder {
  oci::RepositoryName name;  // in the mirror's words
  oci::Reference reference;
  // What of it; without referrers unless they are asked for.
  CopyOptions options{.platforms = {}, .referrers = false};
  // As CopyOrder::moved, of what was not held before.
  std::function<void(std::uint64_t bytes)> moved{};
};
struct Warmed {
  oci::Digest digest;  // what the reference stands for
  CopyTally tally{};   // manifests: all of it, whether they were held or not
};

// Asks `mirror` for the manifest and for every blob, to its proven end: then it holds the image, as
// after a pull by a client. Of a Source that keeps nothing it is a way to read an image. What a
// mirror cannot keep (its disk is full) is `broken`. `mirror` outlives it.
async::Task<Answer<Warmed>> warm(Source& mirror, WarmOrder order);

}  // namespace entrepot::registry
