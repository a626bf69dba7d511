// `n`, `last` and Link of the listings (distribution-spec "Listing Tags"; reliability.md M-16).
#pragma once

#include <string>
#include <string_view>

#include "entrepot/http/message.hpp"
#include "entrepot/registry/source.hpp"

namespace entrepot::api {

// More than this many items are never given at once; also what `n` absent means. A larger `n` is
// lowered to it instead of refused: clients ask for "all" by a huge number.
inline constexpr std::size_t max_page = 1000;

// `limit` 0: the client wants to see nothing. Throws PAGINATION_INVALID when `n` is no number.
registry::Page requested_page(const http::Request& request);

// The Link to what follows `last`, keeping `ns`, the prefix before /v2 and `filter` (already
// encoded, "&key=value", may be empty).
void link_next_page(http::Reply& reply, const http::Request& request, const registry::Page& page,
                    std::string_view last, std::string_view filter = {});

http::Reply json_reply(std::string_view content_type, std::string text);

}  // namespace entrepot::api
