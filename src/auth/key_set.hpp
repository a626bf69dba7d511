// The keys one issuer signs with: a JWKS document, or PEM public keys and certificates.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt.hpp"
#include "auth/public_key.hpp"

namespace entrepot::auth {

// Immutable; may be used from any thread.
class KeySet {
 public:
  static constexpr std::size_t most_keys = 32;

  explicit KeySet(std::vector<PublicKey> keys) : keys_(std::move(keys)) {}

  // The error is a sentence: not a key set, or none of its keys can be used.
  static std::expected<KeySet, std::string> parse(std::string_view text);
  // Throws std::runtime_error naming the file.
  static KeySet read(const std::filesystem::path& path);

  // Whether one of these keys signed it: the one its "kid" names, when names are known on both
  // sides, with the one algorithm that key has.
  bool signed_this(const UnverifiedToken& token) const;
  const std::vector<PublicKey>& keys() const { return keys_; }

 private:
  std::vector<PublicKey> keys_;
};

}  // namespace entrepot::auth
