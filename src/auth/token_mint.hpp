// The tokens we make ourselves, and how we know them again.
//
// Access tokens are Docker's (JWT by ES256, minutes); they name how their subject was proved.
// Refresh tokens are of another type, so that neither is taken for the other, and carry a
// fingerprint of the stored password hash: they end when it changes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt.hpp"
#include "auth/key_set.hpp"
#include "auth/signing_key.hpp"
#include "entrepot/auth/gate.hpp"

namespace entrepot::auth {

// Thread-safe.
class TokenMint {
 public:
  // Throws std::runtime_error or std::system_error when the key cannot be had.
  explicit TokenMint(TokenServer server);

  const TokenServer& server() const { return server_; }

  std::string access_token(std::string_view subject, Proof proof, std::vector<AccessEntry> access,
                           base::WallTime now) const;
  std::string refresh_token(std::string_view subject, std::string_view stored_hash,
                            base::WallTime now) const;

  // Whether the access token is ours, for us, and now within its time.
  bool made_access_token(const UnverifiedToken& token, base::WallTime now) const;
  // The same of a refresh token.
  bool made_refresh_token(const UnverifiedToken& token, base::WallTime now) const;

 private:
  std::string sign(std::string_view type, const Claims& claims) const;
  bool made(const UnverifiedToken& token, std::string_view type, base::WallTime now) const;
  Claims claims_for(std::string_view subject, base::WallTime now) const;

  TokenServer server_;
  SigningKey key_;
  KeySet known_;
};

std::string fingerprint_of(std::string_view stored_hash);

// The word of an access token for how its subject was proved.
std::string_view proof_word(Proof proof);

}  // namespace entrepot::auth
