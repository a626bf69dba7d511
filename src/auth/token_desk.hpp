// Every token we accept: our own mint's and the trusted issuers'. From a token's text to the
// principal it stands for.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/expiring_map.hpp"
#include "auth/htpasswd.hpp"
#include "auth/jwt.hpp"
#include "auth/key_set.hpp"
#include "auth/keyed_hash.hpp"
#include "auth/token_mint.hpp"
#include "entrepot/auth/gate.hpp"
#include "entrepot/base/clock.hpp"

namespace entrepot::auth {

// Where a client gets a token.
struct Realm {
  std::string_view url;
  std::string_view service;
};

// Thread-safe. A token that was checked is known by a keyed hash for a minute; its time and its
// user are looked at on every use.
class TokenDesk {
 public:
  // Throws std::runtime_error naming the key file that cannot be used, or the issuer named twice.
  TokenDesk(TokenServer server, std::vector<TrustedIssuer> issuers, const base::Clock& clock);

  // Null when tokens are not ours to make.
  const TokenMint* mint() const { return mint_.get(); }
  bool issues() const { return mint_ != nullptr; }
  bool accepts_any() const { return issues() || !foreign_.empty(); }
  // Ours, else the first trusted issuer's that has one.
  std::optional<Realm> realm() const;

  // Absent for every token that proves nothing here. `users` may be null.
  std::optional<Principal> read(std::string_view token,
                                const std::shared_ptr<const PasswordTable>& users) const;

 private:
  struct Foreign {
    TrustedIssuer issuer;
    KeySet keys;
  };
  struct Checked {
    Principal principal;
    Instant expires;
    bool of_a_password = false;  // counts while its user is there
  };

  std::optional<Checked> known(const Fingerprint& fingerprint) const;
  std::optional<Checked> check(std::string_view token) const;
  std::optional<Checked> check_own(const UnverifiedToken& token) const;
  std::optional<Checked> check_foreign(const UnverifiedToken& token) const;

  const base::Clock& clock_;
  std::unique_ptr<const TokenMint> mint_;
  std::vector<Foreign> foreign_;
  KeyedHash keyed_;
  mutable std::mutex mutex_;  // guards checked_
  mutable ExpiringMap<Checked> checked_{10'000};
};

}  // namespace entrepot::auth
