// How a repository is called at the target: a template of {repository}, {name} (its last component)
// and {path} (the others).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/oci/name.hpp"

namespace entrepot::replication {

class Renaming {
 public:
  // Throws std::invalid_argument when it is no template or can never give a name.
  explicit Renaming(std::string_view text);

  // Absent when what comes out is no name of a repository. A {path} of nothing takes the slash
  // behind it along.
  std::optional<oci::RepositoryName> apply(const oci::RepositoryName& name) const;
  // What stands before {repository} when that is all the template does: "paris/", or "".
  const std::optional<std::string>& prefix() const { return prefix_; }

 private:
  enum class Part { text, repository, name, path };
  struct Piece {
    Part part;
    std::string text{};
  };
  std::vector<Piece> pieces_;
  std::optional<std::string> prefix_;
};

}  // namespace entrepot::replication
