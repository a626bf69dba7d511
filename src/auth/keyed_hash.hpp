// HMAC-SHA-256 under a key of this process alone: what caches know secrets by.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace entrepot::auth {

// 32 bytes.
using Fingerprint = std::string;

// Thread-safe. Two processes, and two objects, never agree.
class KeyedHash {
 public:
  KeyedHash();  // throws std::runtime_error without randomness

  // Differs when any part does, not only when their concatenation does.
  Fingerprint of(std::initializer_list<std::string_view> parts) const;

 private:
  std::string key_;
};

// The first eight bytes as a number.
std::uint64_t number_of(const Fingerprint& fingerprint);

// SHA-256, 32 bytes.
Fingerprint plain_hash(std::string_view text);

// `size` bytes nobody can guess. Throws std::runtime_error.
std::string random_bytes(std::size_t size);

}  // namespace entrepot::auth
