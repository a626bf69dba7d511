// Our own token server's key: EC P-256, in a PEM file that is made when it is not there.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "auth/public_key.hpp"

namespace entrepot::auth {

// Immutable; may be used from any thread.
class SigningKey {
 public:
  // A new file appears whole and 0600, and of two that make it at once one wins. Throws
  // std::runtime_error (with the file's name) or std::system_error.
  static SigningKey load_or_make(const std::filesystem::path& path);

  // As JOSE has it, by ES256.
  std::string sign(std::string_view text) const;
  // Under its RFC 7638 thumbprint.
  PublicKey public_key() const;

 private:
  explicit SigningKey(KeyHandle key);

  KeyHandle key_;
  std::string id_;
};

}  // namespace entrepot::auth
