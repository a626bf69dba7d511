#include "auth/policy.hpp"

#include <algorithm>

#include "auth/challenge.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::auth {
namespace {

bool covers(const Principal& principal, Right right, std::string_view repository) {
  if (!principal.scopes) return true;
  return std::ranges::any_of(*principal.scopes, [&](const TokenScope& scope) {
    return scope.repository == repository && scope.rights.allow(right);
  });
}

}  // namespace

void ask_for_proof(std::string challenge) {
  if (challenge.empty()) throw oci::Refusal(oci::ErrorCode::denied);
  oci::Refusal refusal(oci::ErrorCode::unauthorized);
  refusal.challenge = std::move(challenge);
  throw refusal;
}

Policy::Policy(GateOptions options, const base::Clock& clock)
    : realm_name_(std::move(options.realm_name)),
      rules_(options.rules, options.groups),
      users_(options.htpasswd ? std::make_shared<UserFile>(*options.htpasswd, clock) : nullptr),
      tokens_(std::move(options.tokens), std::move(options.issuers), clock) {}

std::shared_ptr<const PasswordTable> Policy::users() const {
  return users_ ? users_->current() : nullptr;
}

bool Policy::rules_allow(const Principal& principal, Right right,
                         std::string_view repository) const {
  if (principal.proof == Proof::control_socket) return true;
  return principal.foreign_token || rules_.rights(principal.name, repository).allow(right);
}

bool Policy::allows(const Principal& principal, Right right, std::string_view repository) const {
  return covers(principal, right, repository) && rules_allow(principal, right, repository);
}

std::string Policy::password_challenge() const {
  return has_users() ? basic_challenge(realm_name_) : std::string();
}

std::string Policy::token_challenge(std::string_view scope, std::string_view error) const {
  const auto realm = tokens_.realm();
  if (!realm) return password_challenge();
  return bearer_challenge({realm->url, realm->service, scope, error});
}

std::string Policy::challenge(std::string_view scope) const {
  if (has_users() && !tokens_.issues()) return password_challenge();
  return token_challenge(scope, {});
}

std::string Policy::challenge_for(const Principal& principal, const Wanted& wanted) const {
  const bool has_token = principal.scopes.has_value();
  const bool has_name = !principal.name.empty();
  if (wanted.scope.empty()) return has_token || !has_name ? password_challenge() : std::string();
  if (!has_token) return has_name ? std::string() : challenge(wanted.scope);
  // Another token would allow a name no more than the rules do.
  if (has_name && !wanted.allowed_by_rules) return {};
  return token_challenge(wanted.scope, "insufficient_scope");
}

void Policy::refuse(const Principal& principal, const Wanted& wanted) const {
  auto asked = challenge_for(principal, wanted);
  if (!asked.empty()) ask_for_proof(std::move(asked));
  throw oci::Refusal(oci::ErrorCode::denied,
                     "this needs the right \"" + std::string(to_string(wanted.right)) + "\"");
}

}  // namespace entrepot::auth
