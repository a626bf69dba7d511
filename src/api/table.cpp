#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "api/endpoint.hpp"

namespace entrepot::api {
namespace {

constexpr std::string_view ping = "/v2/";
constexpr std::string_view manifest = "/v2/<name>/manifests/<reference>";
constexpr std::string_view blob = "/v2/<name>/blobs/<digest>";
constexpr std::string_view catalog = "/v2/_catalog";
constexpr std::string_view tags = "/v2/<name>/tags/list";
constexpr std::string_view referrers = "/v2/<name>/referrers/<digest>";
constexpr std::string_view uploads = "/v2/<name>/blobs/uploads/";
constexpr std::string_view upload = "/v2/<name>/blobs/uploads/<id>";
constexpr std::string_view token = "/token";
constexpr std::string_view history = "/api/v1/history?repository=<name>";
constexpr std::string_view rollback = "/api/v1/rollback?repository=<name>";
constexpr std::string_view repositories = "/api/v1/repositories?name=<name>";
constexpr std::string_view read_only = "/api/v1/read-only";
constexpr std::string_view usage = "/api/v1/usage";
constexpr std::string_view collections = "/api/v1/collections";
constexpr std::string_view adoptions = "/api/v1/adoptions";
constexpr std::string_view exports = "/api/v1/exports";
constexpr std::string_view wants = "/api/v1/wants";
constexpr std::string_view bundles = "/api/v1/bundles";
constexpr std::string_view bundle_applications = "/api/v1/bundle-applications";
constexpr std::string_view warmings = "/api/v1/warmings";
constexpr std::string_view site = "/api/v1/site";
constexpr std::string_view replication_state = "/api/v1/replication";
constexpr std::string_view waiting = "/api/v1/replication/waiting";
constexpr std::string_view peers = "/api/v1/peers";
constexpr std::string_view syncs = "/api/v1/syncs";
constexpr std::string_view jobs = "/api/v1/jobs";
constexpr std::string_view job = "/api/v1/jobs/<id>";
constexpr std::string_view reloads = "/api/v1/reload";

// Sections: OCI distribution-spec, v1.1 and its development after.
constexpr Endpoint registry_table[] = {
    {"ping", ping, "GET", Need::ping, "Determining Support (end-1)", answer_ping},
    {"manifest", manifest, "GET", Need::pull, "Pulling manifests (end-3)", answer_manifest},
    {"manifest", manifest, "PUT", Need::push, "Pushing Manifests (end-7)", put_manifest},
    {"manifest", manifest, "DELETE", Need::remove, "Deleting Manifests (end-9)", delete_manifest},
    {"blob", blob, "GET", Need::pull, "Pulling blobs (end-2)", answer_blob},
    {"blob", blob, "DELETE", Need::remove, "Deleting Blobs (end-10)", delete_blob},
    {"upload", uploads, "POST", Need::push, "Pushing blobs (end-4, 11)", open_upload},
    {"upload", upload, "GET", Need::push, "Pushing a blob in chunks (end-13)", answer_upload},
    {"upload", upload, "PATCH", Need::push, "Pushing a blob in chunks (end-5)", append_upload},
    {"upload", upload, "PUT", Need::push, "Pushing blobs (end-6)", finish_upload},
    {"upload", upload, "DELETE", Need::push, "Cancel a blob upload (end-14)", cancel_upload},
    {"tags", tags, "GET", Need::pull, "Listing Tags (end-8)", answer_tags},
    {"referrers", referrers, "GET", Need::pull, "Listing Referrers (end-12)", answer_referrers},
    {"catalog", catalog, "GET", Need::any, "Docker Registry HTTP API V2", answer_catalog},
    {"token", token, "GET", Need::open, "Docker token authentication", answer_token},
    {"token", token, "POST", Need::open, "Docker token authentication, OAuth2", exchange_token},
    {"feed", "/api/v1/feed", "GET", Need::any, "", answer_feed},
    {"feed", "/api/v1/summaries", "GET", Need::any, "", answer_summaries},
    {"feed", "/api/v1/items", "GET", Need::any, "", answer_items},
    {"feed", "/api/v1/latest", "POST", Need::any, "", answer_latest},
    {"history", history, "GET", Need::pull, "", answer_history},
    {"rollback", rollback, "POST", Need::push, "", roll_back},
    {"repositories", repositories, "DELETE", Need::remove, "", delete_repository},
    {"read-only", read_only, "GET", Need::admin, "", answer_read_only},
    {"read-only", read_only, "PUT", Need::admin, "", set_read_only},
    {"usage", usage, "GET", Need::admin, "", answer_usage},
    {"collections", collections, "POST", Need::admin, "", start_collection},
    {"adoptions", adoptions, "POST", Need::control, "", start_adoption},
    {"exports", exports, "POST", Need::control, "", start_export},
    {"wants", wants, "POST", Need::control, "", start_want},
    {"bundles", bundles, "POST", Need::control, "", start_bundle},
    {"bundle-applications", bundle_applications, "POST", Need::control, "",
     start_bundle_application},
    {"warmings", warmings, "POST", Need::admin, "", start_warming},
    {"site", site, "GET", Need::admin, "", answer_site},
    {"replication", replication_state, "GET", Need::admin, "", answer_replication},
    {"replication", waiting, "GET", Need::admin, "", answer_waiting},
    {"peers", peers, "GET", Need::admin, "", answer_peers},
    {"syncs", syncs, "POST", Need::admin, "", start_sync},
    {"jobs", jobs, "GET", Need::admin, "", answer_jobs},
    {"jobs", job, "GET", Need::admin, "", answer_job},
    {"jobs", job, "DELETE", Need::admin, "", stop_job},
    {"reload", reloads, "POST", Need::control, "", reload},
    {"healthz", "/healthz", "GET", Need::open, "", answer_health},
    {"readyz", "/readyz", "GET", Need::open, "", answer_readiness},
    {"metrics", "/metrics", "GET", Need::open, "", answer_metrics},
};

constexpr Endpoint admin_table[] = {
    {"healthz", "/healthz", "GET", Need::open, "", answer_health},
    {"readyz", "/readyz", "GET", Need::open, "", answer_readiness},
    {"metrics", "/metrics", "GET", Need::open, "", answer_metrics},
};

// Every line has a handler, and what needs a right in a repository names one.
constexpr bool is_sound(const Endpoint& line) {
  const Need need = line.need;
  const bool of_repository = need == Need::pull || need == Need::push || need == Need::remove;
  return line.answer != nullptr && of_repository == line.pattern.contains("<name>");
}
static_assert(std::ranges::all_of(registry_table, is_sound));
static_assert(std::ranges::all_of(admin_table, is_sound));

}  // namespace

std::span<const Endpoint> registry_endpoints() { return registry_table; }

std::span<const Endpoint> admin_endpoints() { return admin_table; }

std::string routes_json() {
  namespace json = boost::json;
  json::array routes;
  for (const auto& line : registry_endpoints()) {
    json::array methods{json::string_view(line.method)};
    if (line.method == "GET") methods.emplace_back("HEAD");
    routes.push_back({{"route", json::string_view(line.route)},
                      {"pattern", json::string_view(line.pattern)},
                      {"methods", std::move(methods)},
                      {"need", json::string_view(to_string(line.need))},
                      {"section", json::string_view(line.section)}});
  }
  return json::serialize(json::object{{"routes", std::move(routes)}});
}

}  // namespace entrepot::api
