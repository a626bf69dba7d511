// What a bundle must bring: the images asked for, walked down to their last blob and out to their
// referrers, each digest once. Nothing but manifests is read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/transfer/bundle.hpp"
#include "transfer/bundle/contents.hpp"

namespace entrepot::transfer {

struct PlannedObject {
  oci::Digest digest;
  std::uint64_t size = 0;
  std::string media_type{};  // of a manifest; empty: a blob
  std::size_t image = 0;     // from whose source it is read
};

// A line of the contents and all it needs, as places in Graph::objects; the first is its manifest.
struct PlannedUnit {
  ContentLine line;
  std::string artifact_type;
  std::vector<std::uint32_t> objects;
};

struct Graph {
  std::vector<PlannedObject> objects;  // some may be of no unit: they stay
  std::vector<PlannedUnit> units;
  std::vector<std::string> barren;  // images that have nothing for the platforms wanted
};

struct WalkOptions {
  bool referrers = true;
  std::vector<std::string> platforms{};
  // Of BundleImage::sparse.
  std::unordered_set<oci::Digest> children{};
  // Of images that are not there any more.
  enum class Absent { refuse, skip } absent = Absent::refuse;
  index::Version version{};  // of tags that have none
};

// Without `platforms`, a child that the source has not was left out there and is left out here. All
// else it cannot give ends the walk. Throws oci::Refusal (manifest_unknown, manifest_invalid, what
// a source fails with), and what `passed`, called for every manifest, throws.
async::Task<Graph> walk_images(const std::vector<BundleImage>& images, WalkOptions options,
                               std::function<void()> passed);

}  // namespace entrepot::transfer
