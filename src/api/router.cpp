#include "entrepot/api/router.hpp"

#include <cerrno>
#include <system_error>

#include "api/credentials.hpp"
#include "api/endpoint.hpp"
#include "api/naming.hpp"
#include "api/replies.hpp"
#include "entrepot/async/cancellation.hpp"
#include "entrepot/base/log.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

struct Router {
  Collaborators house;
  std::span<const Endpoint> table;
};

bool any_method(const Endpoint&) { return true; }
bool is_reading(const Endpoint& line) { return line.method == "GET" && line.need == Need::pull; }
bool is_no_deletion(const Endpoint& line) { return line.method != "DELETE"; }

const Endpoint& required_line(const Match& matched, std::string_view method) {
  if (matched.lines.empty()) throw oci::Refusal(oci::ErrorCode::not_found, "no such endpoint");
  const auto* line = serving(matched, method);
  if (line != nullptr) return *line;
  oci::Refusal refusal(oci::ErrorCode::unsupported, "this endpoint has no such method");
  refusal.allow = methods_of(matched.lines, any_method);
  throw refusal;
}

// For what belongs to no repository.
auth::Grant require(const auth::Gate& gate, const auth::Principal& who, Need need,
                    const http::Request& request) {
  switch (need) {
    case Need::open:
      return gate.open_to_all(who);
    case Need::ping:
      return gate.require_for_ping(who);
    case Need::any:
      return gate.require_any(who);
    case Need::control:
      if (request.via != http::Via::control_socket) {
        gate.require_admin(who);
        throw oci::Refusal(oci::ErrorCode::denied, "only over the control socket");
      }
      [[fallthrough]];
    case Need::admin:
    case Need::pull:
    case Need::push:
    case Need::remove:
      break;
  }
  return gate.require_admin(who);
}

auth::Right right_for(Need need) {
  switch (need) {
    case Need::pull:
      return auth::Right::pull;
    case Need::push:
      return auth::Right::create;
    case Need::remove:
      return auth::Right::remove;
    case Need::open:
    case Need::ping:
    case Need::any:
    case Need::admin:
    case Need::control:
      break;
  }
  return auth::Right::admin;
}

// The repository a line is about, as the client named it; the name is empty when it is about none.
Wording wording_of(const Router& router, const Endpoint& line, const http::Request& request,
                   const Match& matched) {
  const auto key = naming_key(line);
  if (!key.empty()) {
    const auto name = request.target.query_value(key);
    if (!name || name->empty()) {
      throw oci::Refusal(oci::ErrorCode::name_invalid, std::string(key) + " is missing");
    }
    return {.upstream = {}, .name = *name};
  }
  return {.upstream = selected_upstream(router.house.reading.directory, request, matched.upstream),
          .name = matched.name};
}

// Lines about local content only: pushes and deletions, and the state of an upload.
bool is_of_local(Need need) { return need == Need::push || need == Need::remove; }

// reliability.md C-16.
[[noreturn]] void refuse_mirrored(const Match& matched) {
  oci::Refusal refusal(oci::ErrorCode::unsupported, "mirrored repositories are read-only");
  refusal.allow = methods_of(matched.lines, is_reading);
  throw refusal;
}

// Under a name that is nobody's, for who has the right to what would be there.
[[noreturn]] void refuse_nobodys(const Match& matched, const Place& place, bool of_local,
                                 http::Trace& trace) {
  if (!of_local) {
    throw oci::Refusal(oci::ErrorCode::name_unknown, "no upstream answers for this name");
  }
  trace.upstream = place.route.canonical.first_component();
  refuse_mirrored(matched);
}

void require_writable(const Router& router, const http::Request& request) {
  const bool looks_only = request.method == "GET" || request.is_head();
  if (!looks_only && router.house.writing.policy.read_only()) {
    throw oci::Refusal(oci::ErrorCode::denied, "the registry is read-only at present");
  }
}

async::Task<http::Reply> answer_elsewhere(const Router& router, const http::Request& request,
                                          const Match& matched, const Endpoint& line,
                                          const auth::Principal& who) {
  const auto& reading = router.house.reading;
  if (!matched.upstream.empty() && !reading.directory.knows(matched.upstream)) {
    throw oci::Refusal(oci::ErrorCode::name_unknown, "no such upstream");
  }
  const auto grant = require(reading.gate, who, line.need, request);
  co_return co_await line.answer({router.house, request, grant, {}, matched.argument});
}

// Who may not ask the default upstream for an unclaimed name is answered as by the local repository
// it can become: with nothing, or, the same whether there is one or not, with a refusal. So is who
// asks for a stray one.
auth::Grant require_in(const Reading& reading, const auth::Principal& who, auth::Right right,
                       Place& place) {
  try {
    return reading.gate.require(who, right, place.route.canonical);
  } catch (const oci::Refusal&) {
    if (!place.unclaimed && !place.stray) throw;
  }
  auto stray = std::move(place.stray);
  place = local_place(reading, stray ? *stray : std::move(*place.unclaimed));
  place.stray = std::move(stray);
  return reading.gate.require(who, right, place.route.canonical);
}

// `trace` learns whom the request is about before anything can be refused.
async::Task<http::Reply> answer(const Router& router, const http::Request& request,
                                const Match& matched, http::Trace& trace) {
  const auto& reading = router.house.reading;
  const auto& line = required_line(matched, request.method);
  auth::Principal who;
  // Who asks for what is open to all is not asked: a probe's wrong password costs no hash.
  const auto credentials = credentials_of(request);
  if (line.need != Need::open && says_who(credentials)) {
    who = co_await reading.gate.identify(credentials);
  }
  trace.user = who.name;
  const auto wording = wording_of(router, line, request, matched);
  if (wording.name.empty()) {
    co_return co_await answer_elsewhere(router, request, matched, line, who);
  }
  const bool of_local = is_of_local(line.need);
  auto place = co_await (of_local ? locate_for_change : locate)(reading, wording);
  trace.repository = place.route.canonical.text();
  // Whoever asks, and whether it exists or not: that much the name itself tells.
  if (of_local && !place.route.upstream.empty()) {
    trace.upstream = place.route.upstream;
    refuse_mirrored(matched);
  }
  const auto grant = require_in(reading, who, right_for(line.need), place);
  trace.repository = place.route.canonical.text();
  trace.upstream = place.route.upstream;
  if (place.is_nobodys()) refuse_nobodys(matched, place, of_local, trace);
  if (of_local) require_writable(router, request);
  auto reply =
      co_await line.answer({router.house, request, grant, wording.name, matched.argument, &place});
  if (of_local) router.house.notifier.wake();
  co_return reply;
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
  const auto& directory = router.house.reading.directory;
  const auto ns = request.target.query_value("ns");
  // Only what stands in our table is ever echoed.
  if (ns && directory.knows(*ns) &&
      selected_upstream(directory, request, matched.upstream) == *ns) {
    reply.headers.set("OCI-Namespace", *ns);
  }
}

bool is_registry_path(const Match& matched, std::string_view path) {
  return path == "/v2" || path.starts_with("/v2/") || !matched.upstream.empty();
}

bool is_no_room(const std::system_error& error) {
  return error.code() == std::errc::no_space_on_device ||
         error.code() == std::error_code(EDQUOT, std::generic_category());
}

http::Reply refuse(const http::Request& request, const Match& matched, const http::Trace& trace,
                   oci::Refusal refusal) {
  // Deletion is off: whoever found out does not know what else this path can do.
  const bool served = serving(matched, request.method) != nullptr;
  if (refusal.code == oci::ErrorCode::unsupported && served && trace.upstream.empty()) {
    refusal.allow = methods_of(matched.lines, is_no_deletion);
  }
  log_refusal(request, trace, refusal);
  auto reply = refusal_reply(refusal);
  // Where to go on: what was sent cannot be taken at this place.
  if (refusal.upload_offset) reply.headers.set("Location", request.target.path);
  return reply;
}

http::Reply refuse_full(const http::Request& request, const Match& matched,
                        const http::Trace& trace, const std::exception& error) {
  base::log::error("no room", {{"id", request.id}, {"error", error.what()}});
  return refuse(request, matched, trace,
                oci::Refusal(oci::ErrorCode::storage_full, "no room left for this"));
}

async::Task<http::Reply> serve(std::shared_ptr<const Router> router, const http::Request& request) {
  const auto matched = match(router->table, request.target.path);
  http::Trace trace;
  if (!matched.lines.empty()) trace.route = matched.lines.front().route;
  trace.repository = matched.name;
  trace.reference = matched.argument;
  http::Reply reply;
  try {
    reply = co_await answer(*router, request, matched, trace);
  } catch (const oci::Refusal& refusal) {
    reply = refuse(request, matched, trace, refusal);
  } catch (const index::IndexFull& full) {
    reply = refuse_full(request, matched, trace, full);
  } catch (const std::system_error& error) {
    if (!is_no_room(error)) throw;
    reply = refuse_full(request, matched, trace, error);
  } catch (const http::BodyCut&) {
    // The Session says what is left to say; it knows whether anybody is there. The trace is ours.
    reply = empty_reply(408);
  }
  trace.cache = reply.trace.cache;
  trace.upstream_time = reply.trace.upstream_time;
  if (!reply.trace.user.empty()) trace.user = std::move(reply.trace.user);
  reply.trace = std::move(trace);
  if (is_registry_path(matched, request.target.path)) {
    add_registry_headers(*router, request, matched, reply);
  }
  co_return reply;
}

// What changes something comes to its end and to its audit line whether or not the client waits for
// the answer: one who leaves takes nothing back.
async::Task<http::Reply> serve_to_the_end(std::shared_ptr<const Router> router,
                                          const http::Request& request) {
  if (request.method == "GET" || request.is_head()) co_return co_await serve(router, request);
  co_await async::ignore_cancellation();
  http::Reply reply;
  std::exception_ptr failure;
  try {
    reply = co_await serve(router, request);
  } catch (...) {
    failure = std::current_exception();
  }
  co_await async::heed_cancellation();
  if (failure) std::rethrow_exception(failure);
  co_return reply;
}

http::Handler handler_of(Collaborators collaborators, std::span<const Endpoint> table) {
  auto router = std::make_shared<const Router>(std::move(collaborators), table);
  return [router](const http::Request& request) { return serve_to_the_end(router, request); };
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
