#include "api/naming.hpp"

#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

using Held = registry::Directory::Held;

// The upstream a name begins with; empty when it begins with none.
std::string_view leading_upstream(const registry::Directory& directory, std::string_view name) {
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) return {};
  const auto first = name.substr(0, slash);
  return directory.knows(first) ? first : std::string_view{};
}

oci::RepositoryName required_name(std::string_view name) {
  auto parsed = oci::RepositoryName::parse(name);
  if (!parsed) throw oci::Refusal(oci::ErrorCode::name_invalid, "not a repository name");
  return std::move(*parsed);
}

// Whether the wording says which upstream is meant. Its part of the name is valid then: `ns`
// decides, but buildkit puts a mirror's path behind /v2 even then, so the first component may be an
// alias with a port, which is no part of a repository's name.
bool names_upstream(const registry::Directory& directory, Wording wording) {
  const auto leading = leading_upstream(directory, wording.name);
  if (wording.upstream.empty() && leading.empty()) return false;
  required_name(leading.empty() ? wording.name : wording.name.substr(leading.size() + 1));
  return true;
}

async::Task<Held> held_as(const Reading& house, const oci::RepositoryName& name) {
  const auto kind = co_await house.index.read(
      [&](const index::View& view) { return index::claimed_as(view, name); });
  if (!kind) co_return Held::no;
  co_return *kind == index::RepositoryKind::local ? Held::yes : Held::mirrored;
}

// Of a wording that names an upstream: what is held here has no say in it.
registry::Route required_route(const Reading& house, Wording wording) {
  auto route = house.directory.route(wording.upstream, wording.name, Held::no);
  if (route) return std::move(*route);
  throw oci::Refusal(oci::ErrorCode::name_unknown, "no such upstream, or no such name there");
}

}  // namespace

std::string_view selected_upstream(const registry::Directory& directory,
                                   const http::Request& request, std::string_view prefix) {
  const auto ns = request.target.query_value("ns");
  if (ns && !ns->empty() && (prefix.empty() || directory.knows(*ns))) return *ns;
  return prefix;
}

async::Task<Place> locate(const Reading& house, Wording wording) {
  if (names_upstream(house.directory, wording)) {
    co_return Place{required_route(house, wording)};
  }
  auto name = required_name(wording.name);
  const auto held = co_await held_as(house, name);
  auto route = house.directory.route({}, wording.name, held);
  auto place = route ? Place{std::move(*route)} : local_place(house, name);
  place.claimed = held == Held::yes;
  if (!route || held == Held::mirrored) {
    place.stray = std::move(name);
  } else if (held == Held::no && !place.route.upstream.empty()) {
    place.unclaimed = std::move(name);
  }
  co_return place;
}

async::Task<Place> locate_for_change(const Reading& house, Wording wording) {
  if (names_upstream(house.directory, wording)) {
    co_return Place{required_route(house, wording)};
  }
  auto place = local_place(house, required_name(wording.name));
  const auto held = co_await held_as(house, place.route.canonical);
  if (held == Held::mirrored) place.stray = place.route.canonical;
  co_return place;
}

Place local_place(const Reading& house, oci::RepositoryName name) {
  return {.route = {.source = &house.local, .name = name, .canonical = name, .upstream = {}}};
}

std::optional<oci::RepositoryName> counterpart(const Call& call) {
  const auto& house = call.house.reading;
  auto route = house.directory.route({}, call.repository().text(), Held::no);
  if (!route || route->upstream.empty()) return std::nullopt;
  const auto& who = call.grant.principal();
  if (!house.gate.may(who, auth::Right::pull, route->canonical)) return std::nullopt;
  return std::move(route->canonical);
}

}  // namespace entrepot::api
