// The one walk of replication, warming and import: an image from a Source to a Sink, children
// before parents, the tag last, digests never changed (design.md "Two interfaces").
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/registry/sink.hpp"
#include "entrepot/registry/source.hpp"

namespace entrepot::registry {

struct CopyOptions {
  // os/architecture[/variant], of an index's children; empty: all. What is not copied makes the
  // index a sparse one, byte for byte the same.
  std::vector<std::string> platforms{};
  // The source may hold sparse indexes itself, as entrepot sites do whose own rules name platforms:
  // without `platforms`, children it has not are left out here too, and all of them are not.
  bool sparse_source = false;
  bool referrers = true;          // signatures, SBOMs: what refers to anything that is copied
  std::size_t blobs_at_once = 4;  // of one image
};

struct CopyTally {
  std::uint64_t manifests = 0;  // put now
  std::uint64_t manifests_held = 0;
  std::uint64_t blobs_moved = 0;
  std::uint64_t blobs_mounted = 0;
  std::uint64_t blobs_held = 0;
  std::uint64_t bytes = 0;  // of blobs and manifests that moved
  CopyTally& operator+=(const CopyTally& other);
};

// Which repositories of one Sink were seen to hold a digest: hints for mounts, and for estimate()
// what earlier estimates counted already. Remembers the newest some ten thousand. Thread-safe.
class Sightings {
 public:
  void add(const oci::Digest& digest, const oci::RepositoryName& repository);
  std::vector<oci::RepositoryName> of(const oci::Digest& digest) const;

 private:
  using Generation = std::unordered_map<oci::Digest, std::vector<oci::RepositoryName>>;
  mutable std::mutex mutex_;  // guards both
  Generation young_;
  Generation old_;
};

struct CopyOrder {
  oci::RepositoryName from_name;  // in the Source's words
  oci::Digest manifest;
  oci::RepositoryName to_name;  // in the Sink's words
  std::vector<oci::Tag> tags{};
  std::optional<index::Version> version{};
  CopyOptions options{};
  // Called as bytes of blobs arrive; may throw to end the copy, which throws the same. May be
  // empty.
  std::function<void(std::uint64_t bytes)> moved{};
  // Called as what is known to be missing grows, by blobs that a manifest lists, and shrinks, as
  // they come or turn out to be there. May be empty; what is left when a copy fails stays counted.
  std::function<void(std::int64_t bytes)> missing{};
  // Of this Sink, kept by who copies many images there; null: no hints.
  std::shared_ptr<Sightings> seen{};
};

// An image the Sink holds already is not walked again: one question. Of an index it holds the
// children are asked for, one question each, since it may be a sparse one; referrers and tags are
// looked at in any case. Content comes before what lists it, signatures before the tags, and the
// tags with the image's own manifest last. On failure, and when `moved` throws, everything that
// arrived stays and is not moved again by the next try. Docker's schema 1 is refused (denied); an
// index without any image for the platforms is absent, and says so; one with no child left is
// absent. `to` and `from` outlive it.
async::Task<Answer<CopyTally>> copy(Source& from, Place& to, CopyOrder order);

// The same walk without moving anything: what copy() would put and move. With `seen`, a blob that
// several images have in common is counted once.
async::Task<Answer<CopyTally>> estimate(Source& from, Place& to, CopyOrder order);

}  // namespace entrepot::registry
