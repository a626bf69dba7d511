// What of a bundle is at hand: in its staging, or held here already, as its want-file said. Walks
// its images and finds what is missing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/oci/manifest.hpp"
#include "entrepot/transfer/bundle.hpp"
#include "transfer/bundle/ask_text.hpp"
#include "transfer/bundle/staging.hpp"

namespace entrepot::transfer {

struct StagedManifest {
  std::string media_type;
  std::string bytes;
  oci::Manifest parsed;
};

class Inventory {
 public:
  Inventory(const BundleIntake::House& house, const Staging& staging)
      : house_(house), staging_(staging) {}

  async::Task<bool> is_held(oci::Digest digest);
  // Absent when it is nowhere. Throws std::runtime_error with a sentence when it is no manifest.
  async::Task<std::optional<StagedManifest>> manifest(oci::Digest digest);
  // What these images need and is not at hand.
  async::Task<std::vector<MissingDigest>> missing(const Contents& contents);
  // Of the contents last asked about: a child that is no part of this image, here or not.
  bool is_left_out(const ContentLine& line, const oci::Digest& child) const {
    return line.sparse && !children_.contains(child);
  }

 private:
  // Two walks: what a sparse image leaves out, another needs.
  struct Walk {
    const ContentLine* line = nullptr;
    std::unordered_set<oci::Digest> seen{};
  };
  async::Task<> visit(Walk& walk, oci::Digest digest, std::uint64_t size, int depth);
  async::Task<> check_blobs(const oci::Manifest& manifest);
  void note(const oci::Digest& digest, std::uint64_t size) { missing_[digest] = size; }

  const BundleIntake::House& house_;
  const Staging& staging_;
  std::unordered_set<oci::Digest> children_;  // Contents::children
  std::map<oci::Digest, std::uint64_t> missing_;
};

}  // namespace entrepot::transfer
