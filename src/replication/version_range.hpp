// Ranges of semantic versions as npm writes them: ">=1.2 <2", "^1.4", "~1.4.2", "1.x", "1.2 - 2.0",
// blanks or commas for "and", "||" for "or".
//
// A prerelease is in a range only when the range names a prerelease of the same release
// (">=1.2.3-a" takes 1.2.3-b, not 1.3.0-b), or when prereleases are wanted: then order alone
// decides, and what is open downwards begins with its prereleases; "<2" and "^1" take none of 2.0.0
// either way.
#pragma once

#include <string_view>
#include <vector>

#include "replication/version.hpp"

namespace entrepot::replication {

class VersionRange {
 public:
  // Throws std::invalid_argument.
  VersionRange(std::string_view range, bool prereleases);

  bool contains(const SemanticVersion& version) const;

 private:
  enum class Bound { at_least, above, below, at_most };
  struct Condition {
    Bound bound;
    SemanticVersion version;
    bool named = false;  // written in the range, prerelease and all
  };
  using All = std::vector<Condition>;

  All read_all(std::string_view text) const;
  void add(All& all, std::string_view sign, std::string_view version) const;
  void add_lower(All& all, const PartialVersion& version) const;
  void add_upper(All& all, SemanticVersion version) const;
  bool holds(const All& all, const SemanticVersion& version) const;

  bool prereleases_;
  std::vector<All> any_;
};

}  // namespace entrepot::replication
