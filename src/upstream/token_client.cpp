#include "upstream/token_client.hpp"

#include "upstream/user_agent.hpp"

namespace entrepot::upstream {
namespace {

constexpr std::size_t most_answer = 128 * 1024;

// Servers that know only the older protocol answer a POST so.
bool knows_no_post(int status) { return status == 404 || status == 405 || status == 501; }

}  // namespace

async::Task<Try<std::string>> TokenClient::token(TokenKey key, http::Url realm, Account account) {
  if (auto held = cache_.find(key)) co_return std::move(*held);
  async::SingleFlight<TokenKey, Try<std::string>>::Work work = [this, key, realm, account] {
    return fetch(key, realm, account);
  };
  auto [token, role] = co_await flights_.run(key, std::move(work));
  co_return std::move(token);
}

async::Task<Try<std::string>> TokenClient::fetch(TokenKey key, http::Url realm, Account account) {
  int status = 0;
  Try<std::string> body;
  if (!account.identity_token.empty())
    body = co_await ask(refresh_request(key, realm, account), status);
  if (account.identity_token.empty() || knows_no_post(status))
    body = co_await ask(get_request(key, realm, account), status);
  if (!body) co_return std::move(body);
  auto token = parse_token(*body);
  if (!token) co_return disbelieve(std::move(token.error()));
  cache_.put(key, *token);
  co_return std::move(token->value);
}

http::ClientRequest TokenClient::get_request(const TokenKey& key, const http::Url& realm,
                                             const Account& account) const {
  http::ClientRequest request;
  request.url = token_url(realm, key, account).text();
  if (!account.anonymous()) request.headers.add("Authorization", account.basic());
  origins_.prepare(request, realm);
  return request;
}

http::ClientRequest TokenClient::refresh_request(const TokenKey& key, const http::Url& realm,
                                                 const Account& account) const {
  http::ClientRequest request;
  request.method = "POST";
  request.url = bare_realm(realm).text();
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  request.body = refresh_form(key, account);
  origins_.prepare(request, realm);
  return request;
}

// No redirect is followed from here: where a secret goes, it goes straight. What fails here says
// nothing of the health of the upstream, which is another server.
async::Task<Try<std::string>> TokenClient::ask(http::ClientRequest request, int& status) {
  auto body = co_await exchange(std::move(request), status);
  if (!body) body.error().blame = Blame::nobody;
  co_return body;
}

async::Task<Try<std::string>> TokenClient::exchange(http::ClientRequest request, int& status) {
  metrics_.upstream_request(origins_.name(), "token");
  request.headers.add("Accept", "application/json");
  request.headers.add("User-Agent", user_agent());
  auto response = co_await client_.send(std::move(request));
  if (!response) {
    auto setback = of_transport(response.error());
    setback.failure.message = "token server: " + setback.failure.message;
    co_return std::unexpected(std::move(setback));
  }
  status = (*response)->status();
  auto setback = of_status(status, (*response)->headers(), clock_.wall(), "token server");
  // What it refuses, it refuses for our login; that the thing we want is absent is not its to say.
  if (setback && setback->failure.kind == registry::FailureKind::absent)
    setback->failure.kind = registry::FailureKind::broken;
  if (setback) co_return std::unexpected(std::move(*setback));
  auto body = co_await http::read_all(**response, most_answer);
  if (!body) co_return std::unexpected(of_transport(body.error()));
  co_return std::move(*body);
}

}  // namespace entrepot::upstream
