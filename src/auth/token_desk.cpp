#include "auth/token_desk.hpp"

#include <algorithm>
#include <stdexcept>

#include "auth/scope.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::auth {
namespace {

constexpr std::chrono::seconds known_for(60);

// What the entries allow; those that make no sense here allow nothing.
void take_access(const std::vector<AccessEntry>& access, Principal& principal) {
  auto& scopes = principal.scopes.emplace();
  for (const auto& entry : access) {
    Rights rights;
    for (const auto& action : entry.actions) rights = rights | rights_of_action(action);
    if (entry.type == "repository" && oci::RepositoryName::parse(entry.name)) {
      scopes.push_back({entry.name, rights});
    } else if (entry.type == "registry" && entry.name == "catalog") {
      principal.lists = std::ranges::find(entry.actions, "*") != entry.actions.end();
    }
  }
}

Principal principal_of(const Claims& claims) {
  Principal principal{.name = claims.subject, .proof = Proof::token};
  take_access(claims.access, principal);
  return principal;
}

}  // namespace

TokenDesk::TokenDesk(TokenServer server, std::vector<TrustedIssuer> issuers,
                     const base::Clock& clock)
    : clock_(clock) {
  if (!server.realm.empty()) mint_ = std::make_unique<const TokenMint>(std::move(server));
  for (auto& issuer : issuers) {
    if (mint_ && issuer.issuer == mint_->server().issuer) {
      throw std::runtime_error("issuer \"" + issuer.issuer + "\" is our own");
    }
    auto keys = KeySet::read(issuer.keys);
    foreign_.push_back({std::move(issuer), std::move(keys)});
  }
}

std::optional<Realm> TokenDesk::realm() const {
  if (mint_) return Realm{mint_->server().realm, mint_->server().service};
  for (const auto& each : foreign_) {
    if (!each.issuer.realm.empty()) return Realm{each.issuer.realm, each.issuer.audience};
  }
  return std::nullopt;
}

std::optional<Principal> TokenDesk::read(std::string_view token,
                                         const std::shared_ptr<const PasswordTable>& users) const {
  if (token.size() > longest_token) return std::nullopt;
  const auto fingerprint = keyed_.of({token});
  auto checked = known(fingerprint);
  if (!checked) {
    checked = check(token);
    if (!checked) return std::nullopt;
    const std::lock_guard lock(mutex_);
    checked_.put(fingerprint, *checked, clock_.steady() + known_for);
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.wall());
  if (checked->expires + leeway < now) return std::nullopt;
  if (checked->of_a_password && (!users || users->hash_of(checked->principal.name) == nullptr)) {
    return std::nullopt;
  }
  return std::move(checked->principal);
}

std::optional<TokenDesk::Checked> TokenDesk::known(const Fingerprint& fingerprint) const {
  const std::lock_guard lock(mutex_);
  const auto* const checked = checked_.find(fingerprint, clock_.steady());
  if (checked == nullptr) return std::nullopt;
  return *checked;
}

std::optional<TokenDesk::Checked> TokenDesk::check(std::string_view text) const {
  const auto token = parse_jwt(text);
  if (!token) return std::nullopt;
  if (mint_ && token->claims.issuer == mint_->server().issuer) return check_own(*token);
  return check_foreign(*token);
}

std::optional<TokenDesk::Checked> TokenDesk::check_own(const UnverifiedToken& token) const {
  if (!mint_->made_access_token(token, clock_.wall())) return std::nullopt;
  const auto& claims = token.claims;
  const bool of_a_password = claims.proof == proof_word(Proof::password);
  if (!of_a_password && !claims.subject.empty() && claims.proof != proof_word(Proof::certificate)) {
    return std::nullopt;
  }
  return Checked{principal_of(claims), *claims.expires, of_a_password};
}

std::optional<TokenDesk::Checked> TokenDesk::check_foreign(const UnverifiedToken& token) const {
  const auto& claims = token.claims;
  const bool is_access_token = token.type.empty() || token.type == "JWT" || token.type == "at+jwt";
  if (!is_access_token || !claims.expires) return std::nullopt;
  if (!claims.subject.empty() && !is_user_name(claims.subject)) return std::nullopt;
  for (const auto& [issuer, keys] : foreign_) {
    if (issuer.issuer != claims.issuer) continue;
    if (!holds(claims, issuer.audience, clock_.wall()) || !keys.signed_this(token)) continue;
    Checked checked{principal_of(claims), *claims.expires};
    checked.principal.foreign_token = true;
    return checked;
  }
  return std::nullopt;
}

}  // namespace entrepot::auth
