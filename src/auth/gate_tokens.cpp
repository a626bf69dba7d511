// The token server's half of the Gate.
#include <algorithm>
#include <iterator>
#include <ranges>

#include "auth/gate_state.hpp"
#include "auth/scope.hpp"
#include "auth/token_mint.hpp"
#include "entrepot/auth/gate.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::auth {
namespace {

constexpr std::size_t most_scopes = 100;

std::vector<Scope> parse_scopes(const std::vector<std::string>& texts) {
  std::vector<Scope> scopes;
  for (const auto& text : texts) {
    for (const auto piece : std::views::split(std::string_view(text), ' ')) {
      const auto scope = parse_scope({piece.begin(), piece.end()});
      if (scope && scopes.size() < most_scopes) scopes.push_back(*scope);
    }
  }
  return scopes;
}

// Adds what both the scope asks for and the rules allow in this repository.
void grant(const Policy& policy, const Principal& principal, Rights asked,
           const std::string& repository, std::vector<AccessEntry>& access) {
  const auto allowed = policy.rules().rights(principal.name, repository);
  const auto given = actions_of(allowed);
  std::vector<std::string> actions;
  for (const auto action : actions_of(asked)) {
    if (std::ranges::find(given, action) != given.end()) actions.emplace_back(action);
  }
  if (actions.empty()) return;
  const auto same = std::ranges::find(access, repository, &AccessEntry::name);
  if (same == access.end()) {
    access.push_back({"repository", repository, std::move(actions)});
    return;
  }
  for (auto& action : actions) {
    if (std::ranges::find(same->actions, action) == same->actions.end()) {
      same->actions.push_back(std::move(action));
    }
  }
}

std::vector<AccessEntry> access_for(const Policy& policy, const Principal& principal,
                                    const std::vector<Scope>& scopes, const ScopeNaming& naming) {
  std::vector<AccessEntry> access;
  bool lists = false;
  for (const auto& scope : scopes) {
    if (!scope.repository) {
      lists = true;
    } else if (!naming) {
      grant(policy, principal, scope.rights, scope.repository->text(), access);
    } else {
      for (const auto& name : naming(*scope.repository)) {
        grant(policy, principal, scope.rights, name.text(), access);
      }
    }
  }
  if (lists && !policy.rules().rights_anywhere(principal.name).none()) {
    access.push_back({"registry", "catalog", {"*"}});
  }
  return access;
}

void require_service(const TokenMint& mint, std::string_view service) {
  if (service.empty() || service == mint.server().service) return;
  throw oci::Refusal(oci::ErrorCode::bad_request, "tokens for that service are not made here");
}

}  // namespace

bool Gate::issues_tokens() const { return state_->policy()->tokens().issues(); }

std::optional<IssuedToken> Gate::issue(const Principal& principal, std::string_view service,
                                       const std::vector<std::string>& scopes,
                                       const ScopeNaming& naming) const {
  const auto policy = state_->policy();
  const auto* const mint = policy->tokens().mint();
  if (mint == nullptr) return std::nullopt;
  require_service(*mint, service);
  if (principal.scopes) ask_for_proof(policy->password_challenge());
  if (principal.proof == Proof::control_socket) throw oci::Refusal(oci::ErrorCode::denied);
  const auto now = state_->clock.wall();
  auto access = access_for(*policy, principal, parse_scopes(scopes), naming);
  auto token = mint->access_token(principal.name, principal.proof, std::move(access), now);
  if (token.size() > longest_token) {
    throw oci::Refusal(oci::ErrorCode::bad_request, "that is too much for one token");
  }
  return IssuedToken{std::move(token), mint->server().lifetime,
                     std::chrono::floor<std::chrono::seconds>(now)};
}

std::optional<std::string> Gate::issue_refresh_token(const Principal& principal,
                                                     std::string_view service) const {
  const auto policy = state_->policy();
  const auto* const mint = policy->tokens().mint();
  const auto users = policy->users();
  if (mint == nullptr || !users || principal.proof != Proof::password) return std::nullopt;
  require_service(*mint, service);
  const auto* const hash = users->hash_of(principal.name);
  if (hash == nullptr) return std::nullopt;
  return mint->refresh_token(principal.name, *hash, state_->clock.wall());
}

std::optional<Principal> Gate::redeem_refresh_token(std::string_view text,
                                                    std::string_view service) const {
  const auto policy = state_->policy();
  const auto* const mint = policy->tokens().mint();
  const auto users = policy->users();
  if (mint == nullptr || !users) return std::nullopt;
  require_service(*mint, service);
  const auto token = parse_jwt(text);
  if (!token || !mint->made_refresh_token(*token, state_->clock.wall())) return std::nullopt;
  const auto* const hash = users->hash_of(token->claims.subject);
  if (hash == nullptr || token->claims.fingerprint != fingerprint_of(*hash)) return std::nullopt;
  return Principal{.name = token->claims.subject, .proof = Proof::token};
}

}  // namespace entrepot::auth
