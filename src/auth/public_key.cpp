#include "auth/public_key.hpp"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include <array>
#include <optional>

namespace entrepot::auth {
namespace {

constexpr int smallest_rsa = 2048;
constexpr int largest_rsa = 8192;  // a verification costs with the square of it

using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using Signature = std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)>;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::expected<Algorithm, std::string> algorithm_of_curve(EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) == 1) {
    const int curve = OBJ_txt2nid(name.data());
    if (curve == NID_X9_62_prime256v1) return Algorithm::es256;
    if (curve == NID_secp384r1) return Algorithm::es384;
  }
  return std::unexpected("an EC key must be of the curve P-256 or P-384");
}

std::expected<Algorithm, std::string> algorithm_of(EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: {
      const int bits = EVP_PKEY_get_bits(key);
      if (bits < smallest_rsa) return std::unexpected("an RSA key has fewer than 2048 bits");
      if (bits > largest_rsa) return std::unexpected("an RSA key has more than 8192 bits");
      return Algorithm::rs256;
    }
    case EVP_PKEY_EC:
      return algorithm_of_curve(key);
    case EVP_PKEY_ED25519:
      return Algorithm::eddsa;
    default:
      return std::unexpected("a key is neither RSA nor EC nor Ed25519");
  }
}

const EVP_MD* hash_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::rs256:
    case Algorithm::es256:
      return EVP_sha256();
    case Algorithm::es384:
      return EVP_sha384();
    case Algorithm::eddsa:
      break;
  }
  return nullptr;  // hashes by itself
}

// In the form OpenSSL takes; absent when it has not the length of this algorithm.
std::optional<std::string> native_signature(Algorithm algorithm, std::string_view signature) {
  if (algorithm != Algorithm::es256 && algorithm != Algorithm::es384) return std::string(signature);
  const std::size_t length = algorithm == Algorithm::es256 ? 64 : 96;
  if (signature.size() != length) return std::nullopt;
  return der_of_signature(signature);
}

}  // namespace

KeyHandle own_key(EVP_PKEY* key) {
  return key == nullptr ? nullptr : KeyHandle(key, EVP_PKEY_free);
}

std::string_view to_string(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::rs256:
      return "RS256";
    case Algorithm::es256:
      return "ES256";
    case Algorithm::es384:
      return "ES384";
    case Algorithm::eddsa:
      break;
  }
  return "EdDSA";
}

std::expected<PublicKey, std::string> PublicKey::of(KeyHandle key, std::string id) {
  if (!key) return std::unexpected("a key cannot be read");
  const auto algorithm = algorithm_of(key.get());
  if (!algorithm) return std::unexpected(algorithm.error());
  return PublicKey(std::move(key), *algorithm, std::move(id));
}

bool PublicKey::verifies(std::string_view text, std::string_view signature) const {
  const auto native = native_signature(algorithm_, signature);
  if (!native || native->empty()) return false;
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!context ||
      EVP_DigestVerifyInit(context.get(), nullptr, hash_of(algorithm_), nullptr, key_.get()) != 1) {
    return false;
  }
  return EVP_DigestVerify(context.get(), octets(*native), native->size(), octets(text),
                          text.size()) == 1;
}

std::string der_of_signature(std::string_view signature) {
  const auto half = signature.size() / 2;
  const auto length = static_cast<int>(half);
  const Signature parts(ECDSA_SIG_new(), ECDSA_SIG_free);
  BIGNUM* const r = BN_bin2bn(octets(signature), length, nullptr);
  BIGNUM* const s = BN_bin2bn(octets(signature.substr(half)), length, nullptr);
  if (!parts || ECDSA_SIG_set0(parts.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  const int size = i2d_ECDSA_SIG(parts.get(), nullptr);
  if (size <= 0) return {};
  std::string der(static_cast<std::size_t>(size), '\0');
  auto* place = reinterpret_cast<unsigned char*>(der.data());
  i2d_ECDSA_SIG(parts.get(), &place);
  return der;
}

std::string signature_of_der(std::string_view der, std::size_t coordinate_size) {
  const auto* place = octets(der);
  const Signature parts(d2i_ECDSA_SIG(nullptr, &place, static_cast<long>(der.size())),
                        ECDSA_SIG_free);
  if (!parts) return {};
  std::string signature(2 * coordinate_size, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(signature.data());
  const auto length = static_cast<int>(coordinate_size);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out, length) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), out + coordinate_size, length) < 0) {
    return {};
  }
  return signature;
}

}  // namespace entrepot::auth
