#include "notify/signature.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <stdexcept>

#include "entrepot/base/bytes.hpp"

namespace entrepot::notify {

std::string signature(std::string_view secret, std::string_view body) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(body.data()), body.size(), mac.data(),
           &size) == nullptr) {
    throw std::runtime_error("cannot sign a notification");
  }
  return "sha256=" + base::to_hex(std::as_bytes(std::span(mac.data(), size)));
}

}  // namespace entrepot::notify
