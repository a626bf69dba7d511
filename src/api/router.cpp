#include "entrepot/api/router.hpp"

#include "api/endpoint.hpp"
#include "api/naming.hpp"
#include "api/replies.hpp"
#include "entrepot/base/log.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

struct Router {
  Collaborators house;
  std::span<const Endpoint> table;
};

void require_endpoint(const Endpoint* endpoint, std::string_view method) {
  if (!endpoint) throw oci::Refusal(oci::ErrorCode::not_found, "no such endpoint");
  if (serves(*endpoint, method)) return;
  oci::Refusal refusal(oci::ErrorCode::unsupported, "this registry is read-only here");
  refusal.allow = endpoint->methods;
  throw refusal;
}

// `trace` learns whom the request is about before anything can be refused.
async::Task<http::Reply> answer(const Router& router, const http::Request& request, Match matched,
                                http::Trace& trace) {
  require_endpoint(matched.endpoint, request.method);
  Call call{router.house, request, matched.name, matched.argument};
  if (matched.name.empty()) {
    if (!matched.upstream.empty() && !router.house.directory.knows(matched.upstream)) {
      throw oci::Refusal(oci::ErrorCode::name_unknown, "no such upstream");
    }
    co_return co_await matched.endpoint->answer(call);
  }
  const auto route = co_await locate(router.house, request, matched);
  trace.repository = route.canonical.text();
  trace.upstream = route.upstream;
  call.route = &route;
  co_return co_await matched.endpoint->answer(call);
}

// The client hears it, the operator should too, when it is not the client's own mistake.
void log_refusal(const http::Request& request, const http::Trace& trace,
                 const oci::Refusal& refusal) {
  const auto& row = oci::error_row(refusal.code);
  const bool by_upstream =
      !trace.upstream.empty() &&
      (refusal.code == oci::ErrorCode::denied || refusal.code == oci::ErrorCode::too_many_requests);
  if (row.status < 500 && !by_upstream) return;
  base::log::warn("refused", {{"id", request.id},
                              {"code", row.word},
                              {"status", row.status},
                              {"repository", trace.repository},
                              {"reference", trace.reference},
                              {"upstream", trace.upstream},
                              {"reason", refusal.detail}});
}

void add_registry_headers(const Router& router, const http::Request& request, const Match& matched,
                          http::Reply& reply) {
  reply.headers.set("Docker-Distribution-Api-Version", "registry/2.0");
  const auto ns = request.target.query_value("ns");
  // Only what stands in our table is ever echoed.
  if (ns && router.house.directory.knows(*ns) &&
      selected_upstream(router.house.directory, request, matched.upstream) == *ns) {
    reply.headers.set("OCI-Namespace", *ns);
  }
}

bool is_registry_path(const Match& matched, std::string_view path) {
  return path == "/v2" || path.starts_with("/v2/") || !matched.upstream.empty();
}

async::Task<http::Reply> serve(std::shared_ptr<const Router> router, const http::Request& request) {
  const auto matched = match(router->table, request.target.path);
  http::Trace trace;
  if (matched.endpoint) trace.route = matched.endpoint->route;
  trace.repository = matched.name;
  trace.reference = matched.argument;
  http::Reply reply;
  try {
    reply = co_await answer(*router, request, matched, trace);
  } catch (const oci::Refusal& refusal) {
    reply = refusal_reply(refusal);
    log_refusal(request, trace, refusal);
  }
  trace.cache = reply.trace.cache;
  trace.upstream_time = reply.trace.upstream_time;
  reply.trace = std::move(trace);
  if (is_registry_path(matched, request.target.path)) {
    add_registry_headers(*router, request, matched, reply);
  }
  co_return reply;
}

http::Handler handler_of(Collaborators collaborators, std::span<const Endpoint> table) {
  auto router = std::make_shared<const Router>(std::move(collaborators), table);
  return [router](const http::Request& request) { return serve(router, request); };
}

}  // namespace

http::Handler make_handler(Collaborators collaborators) {
  return handler_of(std::move(collaborators), registry_endpoints());
}

http::Handler make_admin_handler(Collaborators collaborators) {
  collaborators.metrics_access = MetricsAccess::everyone;
  return handler_of(std::move(collaborators), admin_endpoints());
}

}  // namespace entrepot::api
