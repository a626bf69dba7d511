// A key that proves who signed a token. JSON Web Signatures are checked here with OpenSSL and no
// JOSE library: the rules that matter (one algorithm a key, key material in a token is never
// looked at, no "none") are what such libraries leave to their callers, and Debian's libjwt reads
// no JWKS.
#pragma once

#include <openssl/types.h>

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace entrepot::auth {

using KeyHandle = std::shared_ptr<EVP_PKEY>;

// Takes the handle over; null stays null.
KeyHandle own_key(EVP_PKEY* key);

// RFC 7518 section 3.1, RFC 8037. There is no other.
enum class Algorithm { rs256, es256, es384, eddsa };

std::string_view to_string(Algorithm algorithm);

// Immutable; may be used from any thread.
class PublicKey {
 public:
  // RSA of 2048 bits and more, EC P-256 and P-384, Ed25519. `id` may be empty. The error is a
  // sentence.
  static std::expected<PublicKey, std::string> of(KeyHandle key, std::string id);

  Algorithm algorithm() const { return algorithm_; }
  const std::string& id() const { return id_; }
  // `signature` as JOSE has it: r and s side by side for EC.
  bool verifies(std::string_view text, std::string_view signature) const;

 private:
  PublicKey(KeyHandle key, Algorithm algorithm, std::string id)
      : key_(std::move(key)), algorithm_(algorithm), id_(std::move(id)) {}

  KeyHandle key_;
  Algorithm algorithm_;
  std::string id_;
};

// Between JOSE's form of an EC signature and OpenSSL's (DER). Empty when it cannot be.
std::string der_of_signature(std::string_view signature);
std::string signature_of_der(std::string_view der, std::size_t coordinate_size);

}  // namespace entrepot::auth
