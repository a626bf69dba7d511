// The words of Docker's token scopes: "repository:NAME:pull,push,delete", "registry:catalog:*".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/auth/right.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::auth {

struct Scope {
  std::optional<oci::RepositoryName> repository;  // absent: the list of all of them
  Rights rights{};
};

// Absent when anything about it is odd. Actions we do not know ask for nothing; "*" is all three.
std::optional<Scope> parse_scope(std::string_view text);

// "pull", "push", "delete" and "*"; none for any other word. admin is no action: no token has it.
Rights rights_of_action(std::string_view action);
// Those of "pull", "push" and "delete" that are worth asking for under these rights.
std::vector<std::string_view> actions_of(Rights rights);

// What a client needs for this: "repository:NAME:pull,push" for push, because it also looks.
std::string scope_text(std::string_view repository, Right right);
inline constexpr std::string_view catalog_scope = "registry:catalog:*";

}  // namespace entrepot::auth
