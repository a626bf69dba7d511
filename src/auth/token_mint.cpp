#include "auth/token_mint.hpp"

#include "auth/base64url.hpp"
#include "auth/keyed_hash.hpp"

namespace entrepot::auth {
namespace {

constexpr std::string_view access_type = "JWT";
constexpr std::string_view refresh_type = "entrepot-refresh+jwt";
constexpr std::size_t id_size = 16;

}  // namespace

std::string fingerprint_of(std::string_view stored_hash) {
  return to_base64url(plain_hash("entrepot refresh token of " + std::string(stored_hash)));
}

std::string_view proof_word(Proof proof) {
  switch (proof) {
    case Proof::password:
    case Proof::token:  // of a refresh token, which came from a password
      return "password";
    case Proof::certificate:
      return "certificate";
    case Proof::nothing:
    case Proof::control_socket:
      break;
  }
  return "nothing";
}

TokenMint::TokenMint(TokenServer server)
    : server_(std::move(server)),
      key_(SigningKey::load_or_make(server_.key)),
      known_({key_.public_key()}) {}

Claims TokenMint::claims_for(std::string_view subject, base::WallTime now) const {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  return Claims{.issuer = server_.issuer,
                .subject = std::string(subject),
                .audience = {server_.service},
                .not_before = second,
                .issued = second,
                .id = to_base64url(random_bytes(id_size))};
}

std::string TokenMint::sign(std::string_view type, const Claims& claims) const {
  const auto& own = known_.keys().front();
  auto text = unsigned_jwt(to_string(own.algorithm()), own.id(), type, claims);
  const auto signature = key_.sign(text);
  return text + "." + to_base64url(signature);
}

std::string TokenMint::access_token(std::string_view subject, Proof proof,
                                    std::vector<AccessEntry> access, base::WallTime now) const {
  auto claims = claims_for(subject, now);
  claims.expires = *claims.issued + server_.lifetime;
  claims.access = std::move(access);
  claims.proof = proof_word(proof);
  return sign(access_type, claims);
}

std::string TokenMint::refresh_token(std::string_view subject, std::string_view stored_hash,
                                     base::WallTime now) const {
  auto claims = claims_for(subject, now);
  claims.fingerprint = fingerprint_of(stored_hash);
  return sign(refresh_type, claims);
}

bool TokenMint::made(const UnverifiedToken& token, std::string_view type,
                     base::WallTime now) const {
  return token.type == type && token.claims.issuer == server_.issuer && !token.key_id.empty() &&
         known_.signed_this(token) && holds(token.claims, server_.service, now);
}

bool TokenMint::made_access_token(const UnverifiedToken& token, base::WallTime now) const {
  return token.claims.expires && made(token, access_type, now);
}

bool TokenMint::made_refresh_token(const UnverifiedToken& token, base::WallTime now) const {
  return made(token, refresh_type, now);
}

}  // namespace entrepot::auth
