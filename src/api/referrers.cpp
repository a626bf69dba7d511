// GET /v2/<name>/referrers/<digest> (distribution-spec "Listing Referrers").
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "api/call.hpp"
#include "api/paging.hpp"
#include "api/replies.hpp"
#include "entrepot/oci/media_type.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

namespace json = boost::json;

json::object descriptor(const index::Referrer& referrer) {
  json::object entry;
  entry["mediaType"] = referrer.descriptor.media_type;
  entry["digest"] = referrer.descriptor.digest.text();
  entry["size"] = referrer.descriptor.size;
  if (!referrer.artifact_type.empty()) entry["artifactType"] = referrer.artifact_type;
  if (!referrer.annotations.empty()) {
    json::object annotations;
    for (const auto& [key, value] : referrer.annotations) annotations[key] = value;
    entry["annotations"] = std::move(annotations);
  }
  return entry;
}

std::string referrer_index(const std::vector<index::Referrer>& referrers) {
  json::array list;
  list.reserve(referrers.size());
  for (const auto& referrer : referrers) list.emplace_back(descriptor(referrer));
  json::object body;
  body["schemaVersion"] = 2;
  body["mediaType"] = oci::media_type::oci_index;
  body["manifests"] = std::move(list);
  return json::serialize(body);
}

registry::Page referrer_page(const http::Request& request) {
  auto page = requested_page(request);
  if (!page.after.empty() && !oci::Digest::parse(page.after)) {
    throw oci::Refusal(oci::ErrorCode::pagination_invalid, "last must be a digest");
  }
  return page;
}

}  // namespace

async::Task<http::Reply> answer_referrers(Call call) {
  const auto subject = required_digest(call.argument);
  const auto page = referrer_page(call.request);
  const std::string type(call.request.target.query_value("artifactType").value_or(""));
  auto asked = page;
  asked.limit = std::max<std::size_t>(page.limit, 1);
  const auto& route = call.route();
  auto found = co_await route.source->referrers(route.name, subject, type, asked);
  // A registry with this endpoint never says 404 here; a mirror passes on what its upstream says,
  // so that clients try the tag schema.
  if (!found && route.upstream.empty()) {
    found = registry::ReferrerPage{.referrers = {}, .more = false, .filtered = !type.empty()};
  }
  if (!found) registry::refuse(found.error(), registry::Subject::repository);
  if (page.limit == 0) found->referrers.clear();
  auto reply = json_reply(oci::media_type::oci_index, referrer_index(found->referrers));
  if (found->filtered) reply.headers.set("OCI-Filters-Applied", "artifactType");
  if (found->more && !found->referrers.empty()) {
    link_next_page(reply, call.request, page, found->referrers.back().descriptor.digest.text(),
                   type.empty() ? "" : "&artifactType=" + http::encode_query(type));
  }
  co_return reply;
}

}  // namespace entrepot::api
