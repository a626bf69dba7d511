// GET and POST /token: our own token server (Docker's "Token Authentication" and its OAuth2 form).
//
//   GET   ?service=&scope=&scope=&account=&offline_token=true, with Basic or without a name
//   POST  grant_type=password|refresh_token, username, password, refresh_token, service, scope,
//         access_type=offline
//
// Scopes speak of names as clients write them; tokens of canonical ones. What is not allowed is
// left out of the token, as Docker's clients expect.
#include <algorithm>
#include <boost/json/parse.hpp>

#include "api/call.hpp"
#include "api/credentials.hpp"
#include "api/form.hpp"
#include "api/json.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

constexpr std::size_t most_form_bytes = 64 * 1024;

// What a client asked for, whichever form it used.
struct Wish {
  std::string service;
  std::vector<std::string> scopes;
  bool wants_refresh_token = false;
};

// An unclaimed name may be the default upstream's today and a local one tomorrow.
std::vector<oci::RepositoryName> meanings(const registry::Directory& directory,
                                          const oci::RepositoryName& written) {
  using Held = registry::Directory::Held;
  std::vector<oci::RepositoryName> names;
  if (!directory.knows(written.first_component()) || written.has_single_component()) {
    names.push_back(written);
  }
  auto route = directory.route({}, written.text(), Held::no);
  if (route && route->canonical != written) names.push_back(std::move(route->canonical));
  if (names.empty()) names.push_back(written);
  return names;
}

[[noreturn]] void refuse_without_server() {
  throw oci::Refusal(oci::ErrorCode::not_found, "no token server here");
}

// Before anybody's password is looked at.
void require_token_server(const Call& call) {
  if (!call.house.reading.gate.issues_tokens()) refuse_without_server();
}

// An error answer in both tongues: the registry's, which Docker tells its user a wrong password by,
// and RFC 6749's (section 5.2), which OAuth2 libraries read.
http::Reply oauth_refusal(const oci::Refusal& refusal, std::string_view error) {
  auto body = boost::json::parse(oci::error_body(refusal)).as_object();
  body["error"] = error;
  body["error_description"] = refusal.detail;
  auto reply = fresh_json(oci::error_row(refusal.code).status, body);
  if (!refusal.challenge.empty()) reply.headers.set("WWW-Authenticate", refusal.challenge);
  return reply;
}

http::Reply bad_request(std::string detail, std::string_view error) {
  return oauth_refusal(oci::Refusal(oci::ErrorCode::bad_request, std::move(detail)), error);
}

// RFC 6749 says 400 here. Docker's client takes only a 401 for a wrong password, containerd asks
// again by GET upon either; a 401 has a challenge (RFC 9110 section 15.5.2), and what GET /token
// takes is Basic.
http::Reply invalid_grant() {
  oci::Refusal refusal(oci::ErrorCode::unauthorized, "these credentials are not valid");
  refusal.challenge = R"(Basic realm="tokens")";
  return oauth_refusal(refusal, "invalid_grant");
}

http::Reply token_reply(const Call& call, const auth::Principal& who, const Wish& wish) {
  const auto& gate = call.house.reading.gate;
  const auto naming = [&](const oci::RepositoryName& written) {
    return meanings(call.house.reading.directory, written);
  };
  const auto issued = gate.issue(who, wish.service, wish.scopes, naming);
  if (!issued) refuse_without_server();
  boost::json::object body;
  body["token"] = issued->token;
  body["access_token"] = issued->token;
  body["expires_in"] = issued->lifetime.count();
  body["issued_at"] = timestamp(issued->issued);
  if (wish.wants_refresh_token) {
    const auto refresh = gate.issue_refresh_token(who, wish.service);
    if (refresh) body["refresh_token"] = *refresh;
  }
  auto reply = fresh_json(200, body);
  reply.headers.set("Pragma", "no-cache");
  reply.trace.user = who.name;
  return reply;
}

async::Task<std::optional<Form>> form_in(http::RequestBody& body) {
  const auto text = co_await http::read_all(body, most_form_bytes);
  co_return text ? parse_form(*text) : std::nullopt;
}

bool is_known_grant(std::string_view type) { return type == "refresh_token" || type == "password"; }

async::Task<std::optional<auth::Principal>> redeem(const auth::Gate& gate, const Form& form,
                                                   std::string remote) {
  if (form.value("grant_type") == "refresh_token") {
    co_return gate.redeem_refresh_token(form.value("refresh_token"), form.value("service"));
  }
  co_return co_await gate.verify_password(form.value("username"), form.value("password"),
                                          std::move(remote));
}

}  // namespace

async::Task<http::Reply> answer_token(Call call) {
  require_token_server(call);
  const auto& target = call.request.target;
  const auto who = co_await call.house.reading.gate.identify(credentials_of(call.request));
  Wish wish{.service = std::string(target.query_value("service").value_or("")),
            .scopes = {},
            .wants_refresh_token = target.query_value("offline_token") == "true"};
  for (const auto& [key, value] : target.query) {
    if (key != "scope") continue;
    // Several in one value are parted by blanks, which many clients write as in a form.
    std::ranges::replace(wish.scopes.emplace_back(value), '+', ' ');
  }
  co_return token_reply(call, who, wish);
}

async::Task<http::Reply> exchange_token(Call call) {
  require_token_server(call);
  const auto form = co_await form_in(*call.request.body);
  if (!form) co_return bad_request("not a form we can read", "invalid_request");
  const auto type = form->value("grant_type");
  if (!is_known_grant(type)) {
    co_return bad_request("grant_type is password or refresh_token", "unsupported_grant_type");
  }
  const auto who = co_await redeem(call.house.reading.gate, *form, call.request.remote);
  if (!who) co_return invalid_grant();
  const Wish wish{
      .service = form->value("service"),
      .scopes = form->all("scope"),
      .wants_refresh_token = form->value("access_type") == "offline" || type == "refresh_token"};
  co_return token_reply(call, *who, wish);
}

}  // namespace entrepot::api
