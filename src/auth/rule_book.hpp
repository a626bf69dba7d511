// Which rights the rules give: their union, for a name and a repository. Pure.
//
// Names are compared whole. What anonymous may do, whoever has a name may do too: a client could
// always leave its name out.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/auth/gate.hpp"
#include "entrepot/auth/right.hpp"
#include "entrepot/base/glob.hpp"

namespace entrepot::auth {

// Immutable; may be asked from any thread. An empty name is anonymous.
class RuleBook {
 public:
  // Throws std::runtime_error for a group that is not there or a pattern that cannot be read.
  RuleBook(const std::vector<Rule>& rules, const std::vector<Group>& groups);

  Rights rights(std::string_view name, std::string_view repository) const;
  // Of all repositories together.
  Rights rights_anywhere(std::string_view name) const;
  // Whether a rule gives admin for "**".
  bool administers_all(std::string_view name) const;

 private:
  struct Line {
    bool anonymous = false;
    bool everyone = false;
    bool all_repositories = false;
    std::set<std::string, std::less<>> names;
    base::GlobSet repositories;
    Rights may;

    bool speaks_of(std::string_view name) const;
  };

  std::vector<Line> lines_;
};

}  // namespace entrepot::auth
