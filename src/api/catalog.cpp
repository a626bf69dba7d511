// GET /v2/_catalog: the canonical names of what is held here (Docker Registry HTTP API V2).
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "api/call.hpp"
#include "api/paging.hpp"

namespace entrepot::api {
namespace {

namespace json = boost::json;

std::string repository_list(const std::vector<oci::RepositoryName>& names) {
  json::array list;
  list.reserve(names.size());
  for (const auto& name : names) list.emplace_back(name.text());
  json::object body;
  body["repositories"] = std::move(list);
  return json::serialize(body);
}

}  // namespace

async::Task<http::Reply> answer_catalog(Call call) {
  const auto page = requested_page(call.request);
  auto asked = page;
  asked.limit = page.limit + 1;  // one more tells whether there is a next page
  auto names = co_await call.house.local.catalog(call.house.directory.upstreams(), asked);
  const bool more = page.limit > 0 && names.size() > page.limit;
  if (names.size() > page.limit)
    names.erase(names.begin() + static_cast<std::ptrdiff_t>(page.limit), names.end());
  auto reply = json_reply("application/json", repository_list(names));
  if (more) link_next_page(reply, call.request, page, names.back().text());
  co_return reply;
}

}  // namespace entrepot::api
