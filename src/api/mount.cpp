#include "api/mount.hpp"

#include <algorithm>
#include <iterator>

#include "api/actor.hpp"
#include "api/naming.hpp"
#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

using Names = std::vector<oci::RepositoryName>;

// A blob everybody has is found among the first.
constexpr std::size_t most_holders = 1000;

// The repository the client names; none when nobody answers for that name.
async::Task<Names> named(const Reading& house, std::string_view from) {
  try {
    const auto place = co_await locate(house, {.upstream = {}, .name = from});
    if (place.is_nobodys()) co_return Names{};
    co_return Names{place.route.canonical};
  } catch (const oci::Refusal&) {
    co_return Names{};  // the upload goes on without it
  }
}

// Whether the repository is reached by a name at all: what an upstream's removed entry has left
// behind is not.
bool is_reachable(const index::View& view, const registry::Directory& directory,
                  const oci::RepositoryName& name) {
  const auto kind = index::repository_kind(view, name);
  return kind == index::RepositoryKind::local || directory.knows(name.first_component());
}

async::Task<Names> holders(const Collaborators& house, oci::Digest digest) {
  auto found = co_await house.writing.writer.holders(digest, most_holders);
  co_await house.reading.index.read([&](const index::View& view) {
    std::erase_if(found, [&](const auto& name) {
      return !is_reachable(view, house.reading.directory, name);
    });
  });
  co_return found;
}

}  // namespace

async::Task<registry::Mounted> mount(Call call, oci::Digest digest) {
  const auto from = call.request.target.query_value("from");
  const auto places =
      co_await (from ? named(call.house.reading, *from) : holders(call.house, digest));
  const auto& gate = call.house.reading.gate;
  const auto& who = call.grant.principal();
  Names readable;
  std::ranges::copy_if(places, std::back_inserter(readable),
                       [&](const auto& name) { return gate.may(who, auth::Right::pull, name); });
  if (readable.empty()) {
    for (const auto& name : places) gate.ask_for_mount(who, name, call.repository());
    co_return registry::Mounted::no;
  }
  co_return co_await call.house.writing.writer.mount(call.repository(), digest, std::move(readable),
                                                     actor_of(call));
}

}  // namespace entrepot::api
