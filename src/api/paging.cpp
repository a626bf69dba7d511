#include "api/paging.hpp"

#include "entrepot/base/units.hpp"
#include "entrepot/http/link.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

registry::Page requested_page(const http::Request& request) {
  registry::Page page;
  page.limit = max_page;
  page.after = request.target.query_value("last").value_or("");
  const auto n = request.target.query_value("n");
  if (!n) return page;
  if (!is_number(*n)) {
    throw oci::Refusal(oci::ErrorCode::pagination_invalid, "n must be a number of items");
  }
  // A number too big for us is just a huge one.
  const auto wanted = base::parse_unsigned(*n).value_or(max_page);
  page.limit = std::min<std::uint64_t>(wanted, max_page);
  return page;
}

void link_next_page(http::Reply& reply, const http::Request& request, const registry::Page& page,
                    std::string_view last, std::string_view filter) {
  auto target = request.target.path + "?n=" + std::to_string(page.limit) +
                "&last=" + http::encode_query(last);
  target += filter;
  if (const auto ns = request.target.query_value("ns")) target += "&ns=" + http::encode_query(*ns);
  reply.headers.set("Link", http::next_link(target));
}

http::Reply json_reply(std::string_view content_type, std::string text) {
  auto reply = http::text_reply(200, content_type, std::move(text));
  reply.headers.set("X-Content-Type-Options", "nosniff");
  return reply;
}

}  // namespace entrepot::api
