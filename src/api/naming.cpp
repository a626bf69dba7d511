#include "api/naming.hpp"

#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

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

}  // namespace

std::string_view selected_upstream(const registry::Directory& directory,
                                   const http::Request& request, std::string_view prefix) {
  const auto ns = request.target.query_value("ns");
  if (ns && !ns->empty() && (prefix.empty() || directory.knows(*ns))) return *ns;
  return prefix;
}

async::Task<registry::Route> locate(const Collaborators& house, const http::Request& request,
                                    Match matched) {
  const auto upstream = selected_upstream(house.directory, request, matched.upstream);
  using Held = registry::Directory::Held;
  auto held = Held::no;
  if (!upstream.empty()) {
    // `ns` decides, but buildkit puts a mirror's path behind /v2 even then: the component may be an
    // alias with a port, which is no part of a repository's name.
    const auto leading = leading_upstream(house.directory, matched.name);
    required_name(leading.empty() ? matched.name : matched.name.substr(leading.size() + 1));
  } else if (const auto leading = leading_upstream(house.directory, matched.name);
             !leading.empty()) {
    required_name(matched.name.substr(leading.size() + 1));
  } else {
    const auto name = required_name(matched.name);
    const auto kind = co_await house.index.read(
        [&](const index::View& view) { return index::repository_kind(view, name); });
    if (kind) held = *kind == index::RepositoryKind::local ? Held::yes : Held::mirrored;
  }
  auto route = house.directory.route(upstream, matched.name, held);
  if (!route) {
    throw oci::Refusal(oci::ErrorCode::name_unknown,
                       upstream.empty() ? "no upstream answers for this name"
                                        : "no such upstream, or no such name there");
  }
  co_return std::move(*route);
}

}  // namespace entrepot::api
