// GET /v2/_catalog: the canonical names of what is held here and the caller may see (Docker
// Registry HTTP API V2; reliability.md A-18).
//
// The names he may not see are skipped here and leave no trace: a page is full or the last one, and
// a Link speaks of the last name shown.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "api/call.hpp"
#include "api/paging.hpp"

namespace entrepot::api {
namespace {

namespace json = boost::json;

using Names = std::vector<oci::RepositoryName>;

// At most so many are looked at before other requests of this thread have their turn: a whole page
// and the one after it for who may see them all.
constexpr std::size_t slice = max_page + 1;
constexpr std::size_t least_slice = 100;

std::string repository_list(const Names& names) {
  json::array list;
  list.reserve(names.size());
  for (const auto& name : names) list.emplace_back(name.text());
  json::object body;
  body["repositories"] = std::move(list);
  return json::serialize(body);
}

// The next `limit` names this caller may see; fewer only at the end.
async::Task<Names> visible(const Call& call, std::string after, std::size_t limit) {
  const auto& reading = call.house.reading;
  const auto upstreams = reading.directory.upstreams();
  Names found;
  if (limit == 0) co_return found;
  for (;;) {
    const auto wanted = std::clamp(limit - found.size(), least_slice, slice);
    const registry::Page page{.after = after, .limit = wanted};
    auto names = co_await reading.local.catalog(upstreams, page);
    const bool last = names.size() < wanted;
    if (!last) after = names.back().text();
    std::erase_if(names, [&](const auto& name) {
      return !reading.gate.may_see(call.grant.principal(), name);
    });
    std::ranges::move(names, std::back_inserter(found));
    if (last || found.size() >= limit) break;
    co_await async::sleep_for(std::chrono::milliseconds::zero());
  }
  if (found.size() > limit)
    found.erase(found.begin() + static_cast<std::ptrdiff_t>(limit), found.end());
  co_return found;
}

}  // namespace

async::Task<http::Reply> answer_catalog(Call call) {
  const auto page = requested_page(call.request);
  // One more tells whether there is a next page.
  auto names = co_await visible(call, page.after, page.limit == 0 ? 0 : page.limit + 1);
  const bool more = names.size() > page.limit;
  if (more) names.pop_back();
  auto reply = json_reply("application/json", repository_list(names));
  if (more) link_next_page(reply, call.request, page, names.back().text());
  co_return reply;
}

}  // namespace entrepot::api
