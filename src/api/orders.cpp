// POST /api/v1/collections, adoptions and exports: each starts a job.
#include "api/actor.hpp"
#include "api/call.hpp"
#include "api/json.hpp"
#include "api/naming.hpp"
#include "api/operations.hpp"
#include "api/replies.hpp"

namespace entrepot::api {
namespace {

// No code of the specification is a conflict.
http::Reply conflict() {
  auto reply =
      refusal_reply(oci::Refusal(oci::ErrorCode::unavailable, "a job of this kind is running"));
  reply.status = 409;
  return reply;
}

using Files = decltype(transfer::AdoptionOptions::files);

Files requested_files(const http::Request& request) {
  const auto files = request.target.query_value("files").value_or("link");
  if (files == "link") return Files::link;
  if (files == "copy") return Files::copy;
  throw oci::Refusal(oci::ErrorCode::bad_request, "files is link or copy");
}

std::vector<oci::Reference> requested_references(const http::Request& request) {
  std::vector<oci::Reference> references;
  for (const auto& [key, value] : request.target.query) {
    if (key == "reference" && !value.empty()) references.push_back(required_reference(value));
  }
  return references;
}

}  // namespace

async::Task<http::Reply> start_job(Call call, std::string kind, upkeep::Jobs::Work work) {
  const auto executor = co_await async::this_executor();
  const auto id = call.house.operations.jobs.start(executor, std::move(kind), std::move(work));
  if (!id) co_return conflict();
  boost::json::object body;
  body["job"] = *id;
  auto reply = fresh_json(202, body);
  reply.headers.set("Location", "/api/v1/jobs/" + std::to_string(*id));
  co_return reply;
}

void refuse_missing() {
  throw oci::Refusal(oci::ErrorCode::unsupported, "this daemon does not do that");
}

async::Task<http::Reply> start_collection(Call call) {
  const auto& make = call.house.operations.collection;
  if (!make) refuse_missing();
  CollectionOrder order;
  const auto untagged = flag_parameter(call.request, "delete_untagged");
  if (untagged) order.untagged = *untagged ? upkeep::Untagged::remove : upkeep::Untagged::keep;
  order.grace = duration_parameter(call.request, "grace");
  const bool dry = flag_parameter(call.request, "dry_run").value_or(false);
  if (dry) order.trial = upkeep::Trial::dry_run;
  audit(call, {.action = dry ? "try a collection" : "collect"});
  co_return co_await start_job(call, "collection", make(order));
}

async::Task<http::Reply> start_adoption(Call call) {
  const auto& make = call.house.operations.adoption;
  if (!make) refuse_missing();
  transfer::AdoptionOptions options{
      .directory = required_parameter(call.request, "directory"),
      .files = requested_files(call.request),
      .repository = std::string(call.request.target.query_value("repository").value_or(""))};
  audit(call, {.action = "adopt", .repository = options.repository});
  co_return co_await start_job(call, "adoption", make(std::move(options), actor_of(call)));
}

async::Task<http::Reply> start_export(Call call) {
  const auto& make = call.house.operations.export_image;
  if (!make) refuse_missing();
  const auto name = required_parameter(call.request, "repository");
  const auto place = co_await locate(call.house.reading, {.upstream = {}, .name = name});
  ExportOrder order{.source = place.route.source,
                    .repository = place.route.name,
                    .references = requested_references(call.request),
                    .directory = required_parameter(call.request, "directory")};
  audit(call, {.action = "export", .repository = place.route.canonical.text()});
  co_return co_await start_job(call, "export", make(std::move(order)));
}

}  // namespace entrepot::api
