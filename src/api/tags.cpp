// GET /v2/<name>/tags/list (distribution-spec "Listing Tags").
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "api/call.hpp"
#include "api/paging.hpp"

namespace entrepot::api {
namespace {

namespace json = boost::json;

std::string tag_list(std::string_view name, const std::vector<oci::Tag>& tags) {
  json::array list;
  list.reserve(tags.size());
  for (const auto& tag : tags) list.emplace_back(tag.text());
  json::object body;
  body["name"] = name;
  body["tags"] = std::move(list);
  return json::serialize(body);
}

}  // namespace

async::Task<http::Reply> answer_tags(Call call) {
  const auto page = requested_page(call.request);
  // Even who wants to see no tag hears whether the repository is there.
  auto asked = page;
  asked.limit = std::max<std::size_t>(page.limit, 1);
  auto found = co_await call.route().source->tags(call.route().name, asked);
  // As registry:2 does it: what was deleted to the last blob is empty, not unknown.
  if (!found && call.place->claimed) found = registry::TagPage{};
  if (!found) registry::refuse(found.error(), registry::Subject::repository);
  if (page.limit == 0) found->tags.clear();
  auto reply = json_reply("application/json", tag_list(call.name, found->tags));
  if (found->more && !found->tags.empty()) {
    link_next_page(reply, call.request, page, found->tags.back().text());
  }
  co_return reply;
}

}  // namespace entrepot::api
