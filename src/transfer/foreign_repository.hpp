// One repository as another registry left it on disk: names and digests, nothing verified yet.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/name.hpp"
#include "transfer/foreign_folder.hpp"

namespace entrepot::transfer {

enum class Shape { registry2, layout };

// Where a directory keeps its bytes. Immutable, thread-safe.
class ForeignBlobs {
 public:
  // `top`: the one with blobs/ in it.
  ForeignBlobs(ForeignFolder top, Shape shape) : top_(std::move(top)), shape_(shape) {}

  // Absent when there is no such regular file.
  std::optional<ForeignFolder::File> open(const oci::Digest& digest) const;
  std::uint64_t bytes() const;

 private:
  ForeignFolder top_;
  Shape shape_;
};

struct ForeignTag {
  oci::Tag tag;
  oci::Digest digest;
};

struct ForeignRepository {
  oci::RepositoryName name;
  std::shared_ptr<const ForeignBlobs> blobs;
  std::vector<oci::Digest> manifests;
  std::vector<ForeignTag> tags;
  // What this repository has a right to; absent: all that lies there.
  std::optional<std::unordered_set<oci::Digest>> links{};

  bool may_give(const oci::Digest& digest) const { return !links || links->contains(digest); }
};

}  // namespace entrepot::transfer
