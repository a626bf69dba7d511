// Who wrote a want-file or a bundle: every site has an Ed25519 key and knows, from its
// configuration, the public keys of the sites it believes. Between them lies an air gap, so nothing
// else vouches for a file that somebody carried in.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;

namespace entrepot::transfer {

// A site that is believed: its public key as SiteKey::public_key() prints it.
struct TrustedKey {
  std::string name;
  std::string key;
};

// Immutable; may be used from any thread.
class SiteKey {
 public:
  // <data>/site.key, PEM (PKCS #8), 0600. A new one appears whole, and of two that make it at once
  // one wins. Throws std::runtime_error with the file's name, std::system_error.
  static SiteKey load_or_make(const std::filesystem::path& path);

  // Base64 of its 32 bytes.
  const std::string& public_key() const { return public_; }
  // 64 bytes.
  std::string sign(std::string_view text) const;

 private:
  using Handle = std::shared_ptr<evp_pkey_st>;
  SiteKey(Handle key, std::string public_key)
      : key_(std::move(key)), public_(std::move(public_key)) {}

  Handle key_;
  std::string public_;
};

// First 16 hexadecimal characters of the key's SHA-256: for people. Empty when it is no key.
std::string key_id(std::string_view public_key);

// False for anything that is no key, no signature, or not this one's.
bool is_signed_by(std::string_view public_key, std::string_view text, std::string_view signature);

// The one of `keys` that is `public_key`, ours among them; absent when we do not believe it.
std::optional<TrustedKey> believed(const std::vector<TrustedKey>& keys,
                                   std::string_view public_key);

}  // namespace entrepot::transfer
