// A line of the route table, and how a path finds its line.
//
// A pattern is matched from both ends: literals before `<name>` from the front, those behind it
// from the back. The name is what lies between, so a repository may be called like any route word
// (reliability.md P-03): /v2/tags/list/tags/list lists the tags of "tags/list".
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "api/call.hpp"

namespace entrepot::api {

struct Endpoint {
  std::string_view route;    // label of log and metrics
  std::string_view pattern;  // literals, <name> at most once, <argument> at most once, at the end
  std::string_view methods;  // as in Allow; empty: none is served
  std::string_view section;  // of the distribution specification
  Answerer answer;
};

// The route tables (src/api/table.cpp): of the registry, of the admin listener.
std::span<const Endpoint> registry_endpoints();
std::span<const Endpoint> admin_endpoints();

struct Match {
  const Endpoint* endpoint = nullptr;
  std::string_view upstream;  // the component before /v2; empty when there is none
  std::string_view name;
  std::string_view argument;
};

// Pure. The first line that fits; endpoint is null when none does. Views point into `path`.
Match match(std::span<const Endpoint> table, std::string_view path);

// Whether `methods` lists `method`.
bool serves(const Endpoint& endpoint, std::string_view method);

}  // namespace entrepot::api
