#include "auth/keyed_hash.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstring>
#include <stdexcept>

namespace entrepot::auth {
namespace {

constexpr std::size_t hash_size = 32;

unsigned char* octets(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

std::string random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  if (RAND_bytes(octets(bytes), static_cast<int>(size)) != 1) {
    throw std::runtime_error("the system has no random bytes");
  }
  return bytes;
}

Fingerprint plain_hash(std::string_view text) {
  Fingerprint hash(hash_size, '\0');
  if (EVP_Digest(text.data(), text.size(), octets(hash), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 failed");
  }
  return hash;
}

KeyedHash::KeyedHash() : key_(random_bytes(hash_size)) {}

Fingerprint KeyedHash::of(std::initializer_list<std::string_view> parts) const {
  std::string message;
  for (const auto part : parts) {
    message += std::to_string(part.size());
    message += ':';
    message += part;
  }
  Fingerprint hash(hash_size, '\0');
  const auto* const made = HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
                                octets(message), message.size(), octets(hash), nullptr);
  OPENSSL_cleanse(message.data(), message.size());
  if (made == nullptr) throw std::runtime_error("HMAC failed");
  return hash;
}

std::uint64_t number_of(const Fingerprint& fingerprint) {
  std::uint64_t number = 0;
  std::memcpy(&number, fingerprint.data(), sizeof(number));
  return number;
}

}  // namespace entrepot::auth
