// DELETE /api/v1/repositories and GET /api/v1/usage.
#include <boost/json/array.hpp>

#include "api/actor.hpp"
#include "api/call.hpp"
#include "api/json.hpp"
#include "api/paging.hpp"
#include "api/replies.hpp"
#include "entrepot/http/target.hpp"
#include "entrepot/index/catalog.hpp"

namespace entrepot::api {
namespace {

namespace json = boost::json;

json::object describe(const index::RepositoryUsage& each) {
  json::object entry;
  entry["name"] = each.repository.text();
  entry["bytes"] = each.usage.bytes;
  entry["links"] = each.usage.links;
  entry["tags"] = each.usage.tags;
  return entry;
}

}  // namespace

async::Task<http::Reply> delete_repository(Call call) {
  const bool deleted =
      co_await call.house.writing.writer.delete_repository(call.repository(), actor_of(call));
  if (!deleted) throw oci::Refusal(oci::ErrorCode::name_unknown, "no such repository here");
  audit(call,
        {.action = "delete repository", .repository = call.repository().text(), .digest = {}});
  co_return empty_reply(204);
}

async::Task<http::Reply> answer_usage(Call call) {
  const auto page = requested_page(call.request);
  const std::string prefix(call.request.target.query_value("prefix").value_or(""));
  index::BlobTotals totals;
  auto found = co_await call.house.reading.index.read([&](const index::View& view) {
    totals = index::blob_totals(view);
    return index::usages(view, prefix, page.after, page.limit + 1);
  });
  const bool more = found.size() > page.limit;
  if (more) found.pop_back();
  json::array list;
  for (const auto& each : found) list.push_back(describe(each));
  json::object body;
  body["blobs"] = totals.blobs;
  body["bytes"] = totals.bytes;
  body["repositories"] = std::move(list);
  auto reply = fresh_json(200, body);
  if (more && !found.empty()) {
    link_next_page(reply, call.request, page, found.back().repository.text(),
                   prefix.empty() ? "" : "&prefix=" + http::encode_query(prefix));
  }
  co_return reply;
}

}  // namespace entrepot::api
