// Blobs of a scripted source, as copy() offers them to a Sink.
#pragma once

#include <string>

#include "entrepot/registry/sink.hpp"
#include "support/scripted_source.hpp"
#include "support/words.hpp"

namespace entrepot::test {

inline registry::BlobOffer offer_from(ScriptedSource& source, const std::string& repository,
                                      const oci::Digest& digest, std::uint64_t size) {
  return {.digest = digest,
          .size = size,
          .open =
              [&source, repository, digest](registry::BlobStart start) {
                return source.blob_from(name(repository), digest, start);
              },
          .stat = [&source, repository, digest] { return source.stat(name(repository), digest); }};
}

}  // namespace entrepot::test
