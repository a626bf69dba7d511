// The repositories in a directory another registry left: registry:2's tree, one OCI image layout,
// or a tree of them (as zot keeps). Reads on the calling thread.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "transfer/foreign_repository.hpp"

namespace entrepot::transfer {

// Hears a sentence for each name or file that cannot be used.
using Trouble = std::function<void(std::string sentence)>;

class ForeignSite {
 public:
  // `layout_name`: of a single layout. Throws std::runtime_error with a sentence when the directory
  // is none of these.
  ForeignSite(const std::filesystem::path& directory, const std::string& layout_name,
              const Trouble& trouble);

  std::size_t size() const { return places_.size(); }
  // Of all blob files.
  std::uint64_t bytes() const;
  // Without content, and told why, when it cannot be read.
  ForeignRepository repository(std::size_t number, const Trouble& trouble) const;

 private:
  // Opened when it is its turn: there may be more of them than descriptors.
  struct Place {
    oci::RepositoryName name;
    std::string path;  // from top_
  };

  void find(const ForeignFolder& folder, const std::string& name, const Trouble& trouble);
  void add(const std::string& name, const std::string& path, const Trouble& trouble);
  void read(const Place& place, ForeignRepository& repository, const Trouble& trouble) const;

  Shape shape_ = Shape::layout;
  ForeignFolder top_;                          // of the repositories
  std::shared_ptr<const ForeignBlobs> blobs_;  // of registry:2, shared by all
  std::vector<Place> places_;
};

}  // namespace entrepot::transfer
