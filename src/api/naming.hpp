// Which repository a request means (design.md "Names and routing").
//
// 1 `?ns=HOST` · 2 first component of the name is an upstream or alias · 3 the component before
// /v2 · 4 a local repository of that name, else the default upstream. An explicit `ns` wins over a
// component before /v2 unless nobody answers for it: operators choose prefixes, clients send `ns`
// without being asked.
#pragma once

#include <string_view>

#include "api/call.hpp"
#include "api/endpoint.hpp"

namespace entrepot::api {

// The upstream named outside of the name; empty when there is none. Points into `request`.
std::string_view selected_upstream(const registry::Directory& directory,
                                   const http::Request& request, std::string_view prefix);

// Throws NAME_INVALID for what cannot be a name, NAME_UNKNOWN when nobody answers for it.
async::Task<registry::Route> locate(const Collaborators& house, const http::Request& request,
                                    Match matched);

}  // namespace entrepot::api
