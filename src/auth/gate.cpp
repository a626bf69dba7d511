#include "entrepot/auth/gate.hpp"

#include "auth/authorization.hpp"
#include "auth/gate_state.hpp"
#include "auth/htpasswd.hpp"
#include "auth/scope.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::auth {

Gate::Gate(GateOptions options, async::BlockingPool& pool, const base::Clock& clock)
    : state_(std::make_unique<State>(std::move(options), pool, clock)) {}

Gate::~Gate() = default;

void Gate::reload(GateOptions options) {
  state_->replace(std::make_shared<const Policy>(std::move(options), state_->clock));
}

async::Task<Principal> Gate::identify(Credentials credentials) const {
  if (credentials.control_socket) {
    co_return Principal{.name = std::string(operator_name), .proof = Proof::control_socket};
  }
  const auto policy = state_->policy();
  const auto header = parse_authorization(credentials.authorization);
  if (const auto* basic = std::get_if<BasicAuthorization>(&header); basic && policy->has_users()) {
    const bool proved = co_await state_->passwords.belong_together(
        policy->users(), basic->name, basic->password, std::string(credentials.remote));
    if (!proved) ask_for_proof(policy->password_challenge());
    co_return Principal{.name = basic->name, .proof = Proof::password};
  }
  if (const auto* bearer = std::get_if<BearerAuthorization>(&header);
      bearer && policy->tokens().accepts_any()) {
    auto principal = policy->tokens().read(bearer->token, policy->users());
    if (!principal) ask_for_proof(policy->token_challenge({}, "invalid_token"));
    co_return std::move(*principal);
  }
  // Clients send a mirror what they have for its upstream: where nobody has a name it says nothing.
  if (policy->knows_names() && !std::holds_alternative<NoAuthorization>(header)) {
    ask_for_proof(policy->challenge());
  }
  if (is_user_name(credentials.client_certificate)) {
    co_return Principal{.name = std::string(credentials.client_certificate),
                        .proof = Proof::certificate};
  }
  co_return Principal{};
}

async::Task<std::optional<Principal>> Gate::verify_password(std::string name, std::string password,
                                                            std::string remote) const {
  auto users = state_->policy()->users();
  if (!users) co_return std::nullopt;
  const bool proved =
      co_await state_->passwords.belong_together(std::move(users), name, password, remote);
  if (!proved) co_return std::nullopt;
  co_return Principal{.name = std::move(name), .proof = Proof::password};
}

bool Gate::may(const Principal& principal, Right right,
               const oci::RepositoryName& repository) const {
  return state_->policy()->allows(principal, right, repository.text());
}

bool Gate::may_see(const Principal& principal, const oci::RepositoryName& repository) const {
  const auto policy = state_->policy();
  if (principal.lists) return policy->rules_allow(principal, Right::pull, repository.text());
  return policy->allows(principal, Right::pull, repository.text());
}

Grant Gate::require(const Principal& principal, Right right,
                    const oci::RepositoryName& repository) const {
  const auto policy = state_->policy();
  if (policy->allows(principal, right, repository.text())) return {principal, right};
  policy->refuse(principal,
                 {.right = right,
                  .scope = right == Right::admin ? "" : scope_text(repository.text(), right),
                  .allowed_by_rules = policy->rules_allow(principal, right, repository.text())});
}

void Gate::ask_for_mount(const Principal& principal, const oci::RepositoryName& from,
                         const oci::RepositoryName& into) const {
  const auto policy = state_->policy();
  const bool has_token = principal.scopes && !principal.name.empty() && !principal.foreign_token;
  if (!has_token || !policy->rules_allow(principal, Right::pull, from.text())) return;
  const auto scopes =
      scope_text(into.text(), Right::push) + ' ' + scope_text(from.text(), Right::pull);
  ask_for_proof(policy->token_challenge(scopes, "insufficient_scope"));
}

Grant Gate::require_admin(const Principal& principal) const {
  const auto policy = state_->policy();
  const bool may = principal.proof == Proof::control_socket ||
                   (!principal.scopes && policy->rules().administers_all(principal.name));
  if (may) return {principal, Right::admin};
  policy->refuse(principal, {.right = Right::admin, .scope = {}, .allowed_by_rules = false});
}

Grant Gate::open_to_all(const Principal& principal) const { return {principal, Right::pull}; }

Grant Gate::require_any(const Principal& principal) const {
  const auto policy = state_->policy();
  const bool by_rules = principal.foreign_token || principal.proof == Proof::control_socket ||
                        !policy->rules().rights_anywhere(principal.name).none();
  if (by_rules && (!principal.scopes || principal.lists)) return {principal, Right::pull};
  policy->refuse(
      principal,
      {.right = Right::pull, .scope = std::string(catalog_scope), .allowed_by_rules = by_rules});
}

Grant Gate::require_for_ping(const Principal& principal) const {
  const auto policy = state_->policy();
  const bool has_proof = principal.proof != Proof::nothing;
  if (has_proof || !policy->knows_names()) return {principal, Right::pull};
  // Whoever is sent to our own token server gets on, with a name or without.
  if (policy->tokens().issues()) ask_for_proof(policy->challenge());
  if (!policy->rules().rights_anywhere({}).none()) return {principal, Right::pull};
  ask_for_proof(policy->challenge());
}

}  // namespace entrepot::auth
