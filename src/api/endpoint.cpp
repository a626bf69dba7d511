#include "api/endpoint.hpp"

namespace entrepot::api {
namespace {

constexpr std::string_view name_mark = "<name>";
constexpr std::string_view argument_mark = "<argument>";

// Takes the last component off `path` ("/v2/a" gives "a" and leaves "/v2").
std::string_view take_last(std::string_view& path) {
  const auto slash = path.rfind('/');
  const auto component = path.substr(slash + 1);
  path = path.substr(0, slash);
  return component;
}

// Matches the components of `pattern` against the end of `path`, taking them off it.
bool take_tail(std::string_view pattern, std::string_view& path, std::string_view& argument) {
  while (!pattern.empty()) {
    if (path.empty()) return false;
    const auto expected = take_last(pattern);
    const auto component = take_last(path);
    if (expected == argument_mark) {
      if (component.empty()) return false;
      argument = component;
    } else if (expected != component) {
      return false;
    }
  }
  return true;
}

bool fits(const Endpoint& endpoint, std::string_view path, Match& found) {
  const auto mark = endpoint.pattern.find(name_mark);
  if (mark == std::string_view::npos) {
    return take_tail(endpoint.pattern, path, found.argument) && path.empty();
  }
  const auto head = endpoint.pattern.substr(0, mark);
  const auto tail = endpoint.pattern.substr(mark + name_mark.size());
  if (!take_tail(tail, path, found.argument)) return false;
  if (!path.starts_with(head) || path.size() == head.size()) return false;
  found.name = path.substr(head.size());
  return true;
}

// "/ghcr.io/v2/app" becomes "/v2/app" and "ghcr.io".
std::string_view take_upstream(std::string_view& path) {
  if (path.size() < 2 || path.starts_with("/v2/")) return {};
  const auto slash = path.find('/', 1);
  if (slash == std::string_view::npos) return {};
  const auto rest = path.substr(slash);
  if (rest != "/v2" && !rest.starts_with("/v2/")) return {};
  const auto upstream = path.substr(1, slash - 1);
  path = rest;
  return upstream;
}

}  // namespace

Match match(std::span<const Endpoint> table, std::string_view path) {
  Match found;
  found.upstream = take_upstream(path);
  if (path == "/v2") path = "/v2/";
  for (const auto& endpoint : table) {
    if (fits(endpoint, path, found)) {
      found.endpoint = &endpoint;
      return found;
    }
    found.name = found.argument = {};
  }
  return found;
}

bool serves(const Endpoint& endpoint, std::string_view method) {
  auto methods = endpoint.methods;
  while (!methods.empty()) {
    const auto comma = methods.find(", ");
    if (methods.substr(0, comma) == method) return true;
    if (comma == std::string_view::npos) break;
    methods.remove_prefix(comma + 2);
  }
  return false;
}

}  // namespace entrepot::api
