// Who is at work, in the words of those who change or record something.
#pragma once

#include <string_view>

#include "api/call.hpp"

namespace entrepot::api {

index::Actor actor_of(const Call& call);

// refused for a caller who may only create tags (reliability.md A-05).
registry::TagMove tag_move(const Call& call);

// One line of the log for each destructive act, before it is answered (reliability.md O-12). Empty
// values are left out.
struct Deed {
  std::string_view action;  // literals: "delete tag", "roll back", ...
  std::string_view repository{};
  std::string_view tag{};
  std::string_view digest{};
  std::string_view rule{};
};
void audit(const Call& call, const Deed& deed);

}  // namespace entrepot::api
