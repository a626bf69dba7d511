#include "auth/bcrypt.hpp"

#include <crypt.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <memory>

#include "entrepot/base/unique_fd.hpp"

namespace entrepot::auth {
namespace {

constexpr std::size_t hash_length = 60;
constexpr std::string_view digits =
    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// 32 KiB of libcrypt's, which keep traces of the password.
struct Scratch {
  Scratch() : data(std::make_unique<crypt_data>()) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { OPENSSL_cleanse(data.get(), sizeof(crypt_data)); }
  std::unique_ptr<crypt_data> data;
};

}  // namespace

std::optional<int> bcrypt_cost(std::string_view hash) {
  if (hash.size() != hash_length || !hash.starts_with("$2") || hash[3] != '$' || hash[6] != '$') {
    return std::nullopt;
  }
  if (hash[2] != 'a' && hash[2] != 'b' && hash[2] != 'y') return std::nullopt;
  if (!is_digit(hash[4]) || !is_digit(hash[5])) return std::nullopt;
  if (hash.substr(7).find_first_not_of(digits) != hash.npos) return std::nullopt;
  const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
  if (cost < lowest_cost) return std::nullopt;
  return cost;
}

bool bcrypt_matches(const std::string& password, const std::string& hash) {
  if (password.find('\0') != password.npos) return false;
  const Scratch scratch;
  const char* const made = crypt_r(password.c_str(), hash.c_str(), scratch.data.get());
  if (made == nullptr || made[0] == '*') return false;
  const std::string_view text(made);
  return text.size() == hash.size() && CRYPTO_memcmp(text.data(), hash.data(), hash.size()) == 0;
}

std::string bcrypt_hash(const std::string& password, int cost) {
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> salt{};
  if (crypt_gensalt_rn("$2y$", static_cast<unsigned long>(cost), nullptr, 0, salt.data(),
                       static_cast<int>(salt.size())) == nullptr) {
    base::throw_errno("make a bcrypt salt");
  }
  const Scratch scratch;
  const char* const made = crypt_r(password.c_str(), salt.data(), scratch.data.get());
  if (made == nullptr || made[0] == '*') base::throw_errno("make a bcrypt hash");
  return made;
}

}  // namespace entrepot::auth
