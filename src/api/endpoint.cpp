#include "api/endpoint.hpp"

namespace entrepot::api {
namespace {

constexpr std::string_view name_mark = "<name>";

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
    if (expected.starts_with('<')) {
      if (component.empty()) return false;
      argument = component;
    } else if (expected != component) {
      return false;
    }
  }
  return true;
}

std::string_view path_of(std::string_view pattern) { return pattern.substr(0, pattern.find('?')); }

bool fits(std::string_view pattern, std::string_view path, Match& found) {
  const auto mark = pattern.find(name_mark);
  if (mark == std::string_view::npos) {
    return take_tail(pattern, path, found.argument) && path.empty();
  }
  const auto head = pattern.substr(0, mark);
  const auto tail = pattern.substr(mark + name_mark.size());
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

// The lines that share the first one's pattern.
std::span<const Endpoint> lines_of_first(std::span<const Endpoint> table) {
  std::size_t count = 1;
  while (count < table.size() && table[count].pattern.data() == table.front().pattern.data()) {
    ++count;
  }
  return table.first(count);
}

}  // namespace

std::string_view to_string(Need need) {
  switch (need) {
    case Need::open:
      return "open";
    case Need::ping:
      return "ping";
    case Need::any:
      return "any";
    case Need::pull:
      return "pull";
    case Need::push:
      return "push";
    case Need::remove:
      return "delete";
    case Need::admin:
      return "admin";
    case Need::control:
      return "control";
  }
  return "control";
}

Match match(std::span<const Endpoint> table, std::string_view path) {
  Match found;
  found.upstream = take_upstream(path);
  if (path == "/v2") path = "/v2/";
  while (!table.empty()) {
    const auto lines = lines_of_first(table);
    if (fits(path_of(lines.front().pattern), path, found)) {
      found.lines = lines;
      return found;
    }
    found.name = found.argument = {};
    table = table.subspan(lines.size());
  }
  return found;
}

const Endpoint* serving(const Match& matched, std::string_view method) {
  const auto wanted = method == "HEAD" ? std::string_view("GET") : method;
  for (const auto& line : matched.lines) {
    if (line.method == wanted) return &line;
  }
  return nullptr;
}

std::string methods_of(std::span<const Endpoint> lines, bool (*counts)(const Endpoint& line)) {
  std::string methods;
  for (const auto& line : lines) {
    if (!counts(line)) continue;
    if (!methods.empty()) methods += ", ";
    methods += line.method;
    if (line.method == "GET") methods += ", HEAD";
  }
  return methods;
}

std::string_view naming_key(const Endpoint& endpoint) {
  const auto mark = endpoint.pattern.find('?');
  if (mark == std::string_view::npos) return {};
  const auto query = endpoint.pattern.substr(mark + 1);
  return query.substr(0, query.find('='));
}

}  // namespace entrepot::api
