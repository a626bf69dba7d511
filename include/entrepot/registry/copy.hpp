// The one walk of replication, warming and import: an image from a Source to a Sink, children
// before parents, the tag last, digests never changed (design.md "Two interfaces").
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
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

struct CopyOrder {
  oci::RepositoryName from_name;  // in the Source's words
  oci::Digest manifest;
  oci::RepositoryName to_name;  // in the Sink's words
  std::vector<oci::Tag> tags{};
  std::optional<index::Version> version{};
  CopyOptions options{};
  // Called as bytes of blobs arrive; may throw to end the copy. May be empty.
  std::function<void(std::uint64_t bytes)> moved{};
};

// A manifest the Sink holds already, with what belongs to it, is not walked again: only its
// referrers, and its tags, are. On failure everything that arrived stays and is not moved again by
// the next try. `to` and `from` outlive it.
async::Task<Answer<CopyTally>> copy(Source& from, Place& to, CopyOrder order);

// The same walk without moving anything: what copy() would put and move.
async::Task<Answer<CopyTally>> estimate(Source& from, Place& to, CopyOrder order);

}  // namespace entrepot::registry
