// Walks over everything some local repositories hold that a summary counts, a bounded number of
// rows at a time, so that no read transaction is long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::registry {

struct Holding {
  std::size_t repository = 0;  // which of the walk's
  std::string tag{};           // empty: the manifest itself
  oci::Digest digest;
  index::Version version{};  // of a tag
};

class HoldingsWalk {
 public:
  // `repositories` outlives it.
  explicit HoldingsWalk(const std::vector<oci::RepositoryName>& repositories)
      : repositories_(repositories) {}

  bool over() const { return at_ == repositories_.size(); }
  // Looks at about `rows` rows more. Repositories may come and go between two calls.
  std::vector<Holding> read(const index::View& view, std::size_t rows);

 private:
  std::size_t read_tags(const index::View& view, std::size_t rows, std::vector<Holding>& into);
  std::size_t read_manifests(const index::View& view, std::size_t rows, std::vector<Holding>& into);

  const std::vector<oci::RepositoryName>& repositories_;
  std::size_t at_ = 0;
  bool tags_done_ = false;  // of the repository at hand
  std::string after_tag_{};
  std::optional<oci::Digest> after_link_{};
};

}  // namespace entrepot::registry
