#include "upstream/authenticator.hpp"

#include "entrepot/base/log.hpp"
#include "upstream/realm.hpp"

namespace entrepot::upstream {
namespace {

constexpr std::string_view bearer_prefix = "Bearer ";

// What of a challenge we act on, and so all there is to remember.
http::Challenge gist(http::Challenge challenge) {
  std::erase_if(challenge.parameters, [](const auto& parameter) {
    return parameter.first != "realm" && parameter.first != "service";
  });
  return challenge;
}

bool equal(const http::Challenge& a, const http::Challenge& b) {
  return a.scheme == b.scheme && a.parameters == b.parameters;
}

}  // namespace

async::Task<Opening> Authenticator::opening(http::Url upstream, Access access) {
  const Place place(upstream.origin(), access.repository);
  const auto challenge = remembered(place);
  if (!challenge) co_return Opening{};
  auto header = co_await authorize(std::move(upstream), std::move(access.scope), *challenge, {});
  if (header) co_return Opening{std::move(*header), {}};
  forget(place);
  co_return Opening{{}, Opening::Unanswered{*challenge, std::move(header.error())}};
}

async::Task<Try<std::string>> Authenticator::answer(http::Url upstream, Access access,
                                                    std::optional<http::Challenge> challenge,
                                                    Opening opening) {
  if (!challenge) co_return deny("answered 401 without a challenge we know");
  const auto asked = gist(std::move(*challenge));
  if (opening.unanswered && equal(opening.unanswered->challenge, asked))
    co_return std::unexpected(std::move(opening.unanswered->why));
  const Place place(upstream.origin(), access.repository);
  auto header = co_await authorize(std::move(upstream), std::move(access.scope), asked,
                                   std::move(opening.authorization));
  if (header) remember(place, asked);
  co_return header;
}

std::optional<http::Challenge> Authenticator::remembered(const Place& place) {
  const std::lock_guard lock(mutex_);
  const auto found = asked_.find(place);
  if (found == asked_.end()) return std::nullopt;
  return found->second;
}

void Authenticator::remember(const Place& place, http::Challenge challenge) {
  const std::lock_guard lock(mutex_);
  if (asked_.size() >= most_remembered) asked_.clear();  // each costs one 401 to learn again
  asked_[place] = std::move(challenge);
}

void Authenticator::forget(const Place& place) {
  const std::lock_guard lock(mutex_);
  asked_.erase(place);
}

async::Task<Try<std::string>> Authenticator::authorize(http::Url upstream, std::string scope,
                                                       http::Challenge challenge,
                                                       std::string refused) {
  if (challenge.scheme != "bearer")
    co_return co_await basic(std::move(upstream), std::move(refused));
  co_return co_await bearer(std::move(upstream), std::move(scope), std::move(challenge),
                            std::move(refused));
}

async::Task<Try<Account>> Authenticator::account(http::Url upstream) {
  auto account = co_await credentials_.account(std::move(upstream));
  if (account) co_return std::move(*account);
  base::log::error("upstream credentials cannot be read",
                   {{"upstream", origins_.name()}, {"error", account.error()}});
  co_return deny("our credentials for it cannot be read");
}

async::Task<Try<std::string>> Authenticator::bearer(http::Url upstream, std::string scope,
                                                    http::Challenge challenge,
                                                    std::string refused) {
  auto account = co_await this->account(upstream);
  if (!account) co_return std::unexpected(std::move(account.error()));
  const auto realm = http::resolve_url(upstream, *challenge.parameter("realm"));
  const auto secret = account->anonymous() ? Secret::none : Secret::ours;
  if (!realm || may_ask(*realm, upstream, origins_.trusted_realms(), secret) == Verdict::refuse) {
    const auto named = realm ? realm->origin() : std::string("(unusable)");
    base::log::error("token server refused: not of the upstream's site, nor in trusted_realms",
                     {{"upstream", origins_.name()}, {"realm", named}});
    co_return disbelieve("names a token server we do not trust: " + named);
  }
  const TokenKey key{upstream.origin(), realm->text(), challenge.parameter("service").value_or(""),
                     std::move(scope), account->fingerprint()};
  if (refused.starts_with(bearer_prefix)) tokens_.forget(key, refused.substr(bearer_prefix.size()));
  auto token = co_await tokens_.token(key, *realm, std::move(*account));
  if (!token) co_return std::move(token);
  co_return std::string(bearer_prefix) + *token;
}

async::Task<Try<std::string>> Authenticator::basic(http::Url upstream, std::string refused) {
  auto account = co_await this->account(std::move(upstream));
  if (!account) co_return std::unexpected(std::move(account.error()));
  if (account->anonymous()) co_return deny("asks for a login, and none is configured");
  auto header = account->basic();
  if (header == refused) co_return deny("refuses our login (401)");
  co_return std::move(header);
}

}  // namespace entrepot::upstream
