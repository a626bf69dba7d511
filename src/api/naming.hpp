// Which repository a request is about (design.md "Names and routing").
//
// 1 `?ns=HOST` · 2 first component of the name is an upstream or alias · 3 the component before
// /v2 · 4 a local repository of that name, else the default upstream. An explicit `ns` wins over a
// component before /v2 unless nobody answers for it: operators choose prefixes, clients send `ns`
// without being asked.
#pragma once

#include <string_view>

#include "api/call.hpp"

namespace entrepot::api {

// A repository as a client named it.
struct Wording {
  std::string_view upstream;  // before /v2, or of ?ns=; empty when there is none
  std::string_view name;      // between /v2/ and the verb
};

// The upstream named outside of the name; empty when there is none. Points into `request`.
std::string_view selected_upstream(const registry::Directory& directory,
                                   const http::Request& request, std::string_view prefix);

// Who answers for this name. Throws NAME_INVALID for what cannot be a name, NAME_UNKNOWN for an
// upstream we do not know. What depends on what is held here is told by the Place, for whoever has
// looked at rights first.
async::Task<Place> locate(const Reading& house, Wording wording);

// The same for what only local repositories have: an unclaimed name is local, whatever the default
// upstream has under it. A name of a mirrored repository has its upstream, or is stray.
async::Task<Place> locate_for_change(const Reading& house, Wording wording);

// The local repository of that name, whether it exists or not.
Place local_place(const Reading& house, oci::RepositoryName name);

// The mirrored repository that answers, or did, for a local name while it is unclaimed; absent when
// the default upstream has no say in it or the caller may not pull there.
std::optional<oci::RepositoryName> counterpart(const Call& call);

}  // namespace entrepot::api
