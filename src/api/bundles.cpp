// POST /api/v1/wants, bundles and bundle-applications: each starts a job. GET /api/v1/site.
// What may be many can stand in the body as well: a query has an end.
#include "api/actor.hpp"
#include "api/call.hpp"
#include "api/json.hpp"
#include "api/naming.hpp"
#include "api/operations.hpp"
#include "api/wish.hpp"
#include "entrepot/base/units.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

// Of the query and of the body.
std::vector<std::string> values_of(const http::Request& request, std::string_view wanted,
                                   std::vector<std::string> values) {
  for (const auto& [key, value] : request.target.query) {
    if (key == wanted && !value.empty()) values.push_back(value);
  }
  return values;
}

std::optional<std::filesystem::path> path_of(const http::Request& request, std::string_view key) {
  const auto value = request.target.query_value(key);
  if (!value || value->empty()) return std::nullopt;
  return std::filesystem::path(*value);
}

std::uint64_t requested_volume_size(const http::Request& request) {
  const auto value = request.target.query_value("volume_size");
  if (!value || value->empty()) return transfer::BundleOptions::usual_volume;
  if (const auto size = base::parse_size(*value)) return *size;
  throw oci::Refusal(oci::ErrorCode::bad_request, "volume_size is no size such as 700MiB or 4GiB");
}

async::Task<registry::Route> route_of(const Reading* reading, std::string name) {
  auto place = co_await locate(*reading, {.upstream = {}, .name = name});
  co_return std::move(place.route);
}

}  // namespace

async::Task<http::Reply> start_want(Call call) {
  const auto& make = call.house.operations.bundling.want;
  if (!make) refuse_missing();
  const auto wish = co_await read_wish(*call.request.body, R"({"repositories": ["team/**", …]})",
                                       {"repositories"});
  WantOrder order{
      .file = required_parameter(call.request, "file"),
      .repositories = values_of(call.request, "repository", wish.texts("repositories"))};
  audit(call, {.action = "write a want-file"});
  co_return co_await start_job(call, "want", make(std::move(order)));
}

async::Task<http::Reply> start_bundle(Call call) {
  const auto& make = call.house.operations.bundling.bundle;
  if (!make) refuse_missing();
  const auto* reading = &call.house.reading;
  const auto wish = co_await read_wish(*call.request.body, R"({"references": ["team/app:v1", …]})",
                                       {"references"});
  BundleOrder order{
      .directory = required_parameter(call.request, "directory"),
      .rule = std::string(call.request.target.query_value("rule").value_or("")),
      .references = values_of(call.request, "reference", wish.texts("references")),
      .want = path_of(call.request, "want"),
      .again = path_of(call.request, "again"),
      .volume_size = requested_volume_size(call.request),
      .parity = static_cast<unsigned>(
          std::min<std::uint64_t>(number_parameter(call.request, "parity", 0), 255)),
      .locate = [reading](std::string name) { return route_of(reading, std::move(name)); }};
  if (order.rule.empty() && order.references.empty() && !order.again) {
    throw oci::Refusal(oci::ErrorCode::bad_request, "rule, reference or again is needed");
  }
  audit(call, {.action = "make a bundle"});
  co_return co_await start_job(call, "bundle", make(std::move(order)));
}

async::Task<http::Reply> start_bundle_application(Call call) {
  const auto& make = call.house.operations.bundling.application;
  if (!make) refuse_missing();
  const auto wish =
      co_await read_wish(*call.request.body, R"({"paths": ["/media/disc/1.tar", …]})", {"paths"});
  BundleApplication order{
      .paths = {},
      .ask = path_of(call.request, "ask").value_or(""),
      .abandon = std::string(call.request.target.query_value("abandon").value_or(""))};
  for (auto& path : values_of(call.request, "path", wish.texts("paths"))) {
    order.paths.emplace_back(std::move(path));
  }
  if (order.paths.empty() && order.abandon.empty()) {
    throw oci::Refusal(oci::ErrorCode::bad_request, "path or abandon is needed");
  }
  audit(call, {.action = order.abandon.empty() ? "apply a bundle" : "abandon a bundle"});
  co_return co_await start_job(call, "bundle application", make(std::move(order), actor_of(call)));
}

async::Task<http::Reply> answer_site(Call call) {
  const auto& ask = call.house.operations.bundling.site;
  if (!ask) refuse_missing();
  const auto card = co_await ask();
  boost::json::object body;
  body["id"] = card.id;
  body["name"] = card.name;
  body["key"] = card.key;
  body["key_id"] = transfer::key_id(card.key);
  co_return fresh_json(200, body);
}

}  // namespace entrepot::api
