// The one authorizer (reliability.md rules 1 to 4): who sends a request, and whether they may.
//
// Called by api::Router for every request before its handler, which receives the Grant; nothing
// else can make one. Thread-safe. reload() replaces users, rules and keys as a whole or not at all,
// and forgets every cached verdict.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/async/offload.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/auth/right.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::auth {

// Who a rule speaks of. A name is compared exactly; nothing follows from how it begins.
// anonymous: whoever asks, with or without a name. everyone: whoever has proved a name.
struct Subject {
  enum class Kind { anonymous, everyone, user, group };
  Kind kind = Kind::anonymous;
  std::string name{};  // user, group
};

struct Rule {
  std::vector<Subject> who;
  std::vector<std::string> repositories;  // globs over canonical names
  Rights may;
};

struct Group {
  std::string name;
  std::vector<std::string> members;
};

// A token server of our own (Docker's token authentication; RFC 7519). Off when `realm` is empty.
struct TokenServer {
  std::string realm;    // URL of /token as clients reach it
  std::string service;  // audience
  std::string issuer;
  std::filesystem::path key;  // PEM, EC P-256; made (0600) when it is not there
  std::chrono::seconds lifetime{300};
};

// Somebody else's token server whose tokens we accept. What its tokens say is allowed is allowed.
struct TrustedIssuer {
  std::string issuer;
  std::string audience;
  std::filesystem::path keys;  // JWKS, or PEM public key or certificate
  std::string realm;           // for our challenge when there is no token server of our own
};

struct GateOptions {
  std::optional<std::filesystem::path> htpasswd;
  std::vector<Group> groups;
  std::vector<Rule> rules;
  TokenServer tokens;
  std::vector<TrustedIssuer> issuers;
  std::string realm_name = "entrepot";  // of the Basic challenge
};

// How a client proved who it is.
enum class Proof { nothing, password, token, certificate, control_socket };

struct TokenScope {
  std::string repository;
  Rights rights;
};

// Who sends a request. Made by Gate::identify() only, but copied freely.
struct Principal {
  std::string name;  // empty: anonymous
  Proof proof = Proof::nothing;
  // Of a token: it allows nothing beyond these.
  std::optional<std::vector<TokenScope>> scopes{};
  bool foreign_token = false;  // of a TrustedIssuer: our rules are not asked
  bool lists = false;          // of a token: it covers registry:catalog:*
};

// What the operator is called who came in by the control socket. It can be nobody else's name.
inline constexpr std::string_view operator_name = ":operator";

// What a request brings to prove who sent it.
struct Credentials {
  std::string_view authorization{};       // header; empty: none
  std::string_view client_certificate{};  // common name of a verified one; empty: none
  std::string_view remote{};              // address, for limits
  bool control_socket = false;            // came in over the control socket: the operator
};

// Proof that this principal was asked for and has this right. Only a Gate makes one.
class Grant {
 public:
  const Principal& principal() const { return principal_; }
  Right right() const { return right_; }

 private:
  friend class Gate;
  Grant(Principal principal, Right right) : principal_(std::move(principal)), right_(right) {}
  Principal principal_;
  Right right_;
};

// The canonical names a client may mean by a name it wrote in a scope; empty function: that name.
using ScopeNaming =
    std::function<std::vector<oci::RepositoryName>(const oci::RepositoryName& written)>;

// What the token server answers.
struct IssuedToken {
  std::string token;
  std::chrono::seconds lifetime{};
  base::WallTime issued;
};

class Gate {
 public:
  // Throws std::runtime_error with a sentence naming file and line for what cannot be used. The
  // pool serves bcrypt and must outlive it.
  Gate(GateOptions options, async::BlockingPool& pool, const base::Clock& clock);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Throws oci::Refusal: unauthorized with a challenge for what is wrong (never why), too many
  // requests when the hash queue is full.
  async::Task<Principal> identify(Credentials credentials) const;

  // Whether the rules (and the token, if any) allow it. Pure look-up, no waiting.
  bool may(const Principal& principal, Right right, const oci::RepositoryName& repository) const;
  // Whether a list of names may show this one: who may pull it, or would with a token for it
  // and has one for the list.
  bool may_see(const Principal& principal, const oci::RepositoryName& repository) const;

  // Throws oci::Refusal otherwise: unauthorized with the challenge for this scope when the
  // principal could still prove more, else denied.
  Grant require(const Principal& principal, Right right,
                const oci::RepositoryName& repository) const;
  // For a mount `from` a repository this principal may not pull: returns when its rules do not
  // allow it either, else throws unauthorized with a challenge for a token that covers both
  // repositories.
  void ask_for_mount(const Principal& principal, const oci::RepositoryName& from,
                     const oci::RepositoryName& into) const;
  // What belongs to no repository: admin for "**", or the control socket.
  Grant require_admin(const Principal& principal) const;
  // For a line of the route table that is open to all (health, /token).
  Grant open_to_all(const Principal& principal) const;
  // For lists that are filtered name by name (catalog): anybody who may do anything at all.
  // Throws like require().
  Grant require_any(const Principal& principal) const;
  // GET /v2/: a client without a name is asked for one whenever a name could give it more, and
  // can get on by doing so (docker log in needs the challenge here).
  Grant require_for_ping(const Principal& principal) const;

  // Whether there is a token server of our own.
  bool issues_tokens() const;
  // The token server: `scopes` as in the query ("repository:a/b:pull,push"), several in one text
  // when blanks part them; what is not allowed is left out. Absent when there is no token server.
  // Throws oci::Refusal: bad request for another's service, unauthorized for a principal that has
  // nothing but an access token (a token must not renew or widen itself).
  std::optional<IssuedToken> issue(const Principal& principal, std::string_view service,
                                   const std::vector<std::string>& scopes,
                                   const ScopeNaming& naming = {}) const;
  // A refresh token that stands for the name of this principal, who gave a password, until that
  // password is changed or the user removed; and back. Absent when it is not ours or has ended.
  std::optional<std::string> issue_refresh_token(const Principal& principal,
                                                 std::string_view service) const;
  std::optional<Principal> redeem_refresh_token(std::string_view token,
                                                std::string_view service) const;
  // For OAuth2's grant_type=password.
  async::Task<std::optional<Principal>> verify_password(std::string name, std::string password,
                                                        std::string remote) const;

  // Reads htpasswd, keys and JWKS again with these options. Throws like the constructor and then
  // changes nothing. Also done on its own, for the htpasswd file, when that file changes.
  void reload(GateOptions options);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace entrepot::auth
