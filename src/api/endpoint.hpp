// A line of the route table, and how a path finds its lines.
//
// A pattern is matched from both ends: literals before `<name>` from the front, those behind it
// from the back. The name is what lies between, so a repository may be called like any route word
// (reliability.md P-03): /v2/tags/list/tags/list lists the tags of "tags/list".
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/call.hpp"

namespace entrepot::api {

// What a request needs before its handler runs (reliability.md rule 1).
enum class Need {
  open,     // nothing: nobody is asked who he is
  ping,     // what Gate::require_for_ping() asks
  any,      // some right somewhere: the handler filters name by name
  pull,     // these three: of the repository
  push,     // Right::create; whoever has no more moves no tag (tag_move() in api/actor.hpp)
  remove,   // "delete"
  admin,    // of the whole registry
  control,  // the operator, over the control socket
};
std::string_view to_string(Need need);

// A Need that must be stated: an Endpoint without one does not compile.
class StatedNeed {
 public:
  consteval StatedNeed(Need need) : need_(need) {}
  constexpr operator Need() const { return need_; }

 private:
  Need need_;
};

// One method of one path. Lines of the same pattern stand together.
struct Endpoint {
  std::string_view route;  // label of log and metrics, the same for all lines of a pattern
  // Literals, <name> at most once, any other <word> at most once, at the end. Behind a '?' stands
  // the query key that names the repository.
  std::string_view pattern;
  std::string_view method;  // GET is HEAD, too
  StatedNeed need;
  std::string_view section;  // of the distribution specification
  Answerer answer;
};

// The route tables (src/api/table.cpp): of the registry, of the admin listener.
std::span<const Endpoint> registry_endpoints();
std::span<const Endpoint> admin_endpoints();

struct Match {
  std::span<const Endpoint> lines;  // of the path; empty when it is none of ours
  std::string_view upstream;        // the component before /v2; empty when there is none
  std::string_view name;
  std::string_view argument;
};

// Pure. The lines of the first pattern that fits. Views point into `path`.
Match match(std::span<const Endpoint> table, std::string_view path);

// The line that serves `method`; null when none does.
const Endpoint* serving(const Match& matched, std::string_view method);
// Of the lines that count, as in Allow.
std::string methods_of(std::span<const Endpoint> lines, bool (*counts)(const Endpoint& line));

// The query key that names the repository of such a line; empty when the path does, or nothing.
std::string_view naming_key(const Endpoint& endpoint);

}  // namespace entrepot::api
