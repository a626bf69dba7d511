// What the collector asks the index, and what it takes out (reliability.md rules 30 to 36). Each
// question is answered by edges and links, never by reading manifests again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/base/clock.hpp"
#include "entrepot/index/catalog.hpp"

namespace entrepot::index {

// A place in a walk over the links of local repositories; a default one is its beginning.
struct LinkCursor {
  std::string key;
};
struct LinkRow {
  oci::RepositoryName repository;
  oci::Digest digest;
  base::WallTime since;  // when the repository earned it
  bool is_manifest = false;
};
// The next `limit` links of local repositories; moves the cursor. Fewer: the walk is over.
std::vector<LinkRow> local_links(const View& view, LinkCursor& cursor, std::size_t limit);

// When the repository earned its link; absent when it holds none.
std::optional<base::WallTime> linked_since(const View& view, const oci::RepositoryName& repository,
                                           const oci::Digest& digest);

// Why a link stays.
enum class Hold {
  none,
  tagged,
  history,   // a tag pointed to it not longer ago than `history_since`
  listed,    // a manifest linked in the same repository lists it
  referrer,  // its subject is linked in the same repository
};
// REQUIRES: linked. Existing rows only: a missing neighbour holds nothing and stops nothing (G-08).
Hold hold_of(const View& view, const oci::RepositoryName& repository, const oci::Digest& digest,
             base::WallTime history_since);

// Manifests linked in the repository that list `digest`, in digest order, at most `limit`.
std::vector<oci::Digest> listed_by(const View& view, const oci::RepositoryName& repository,
                                   const oci::Digest& digest, std::size_t limit);

// The next `limit` digests of the blob and manifest rows above `after` that no repository links.
struct Unlinked {
  oci::Digest digest;
  std::uint64_t size = 0;
  bool is_blob = false;      // a file stands behind it
  bool is_manifest = false;  // a row with bytes (a digest may be both)
};
struct UnlinkedPage {
  std::vector<Unlinked> found;
  std::optional<oci::Digest> next;  // absent: the walk is over
};
UnlinkedPage unlinked(const View& view, const std::optional<oci::Digest>& after,
                      std::size_t rows_to_look_at);
bool linked_anywhere(const View& view, const oci::Digest& digest);
// Every row of a digest that nothing links: blob, manifest, edges both ways, referrer rows. False
// (and no change) when something links it.
bool erase_unlinked(Batch& batch, const oci::Digest& digest);

// The next `limit` blob rows above `after`, in key order.
struct HeldBlob {
  oci::Digest digest;
  BlobRecord record;
};
std::vector<HeldBlob> held_blobs(const View& view, const std::optional<oci::Digest>& after,
                                 std::size_t limit);

// Drops history rows older than `before`, at most `limit`; how many.
std::size_t drop_history(Batch& batch, base::WallTime before, std::size_t limit);

}  // namespace entrepot::index
