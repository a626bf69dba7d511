#include "auth/jwk.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <boost/json/value.hpp>
#include <memory>

#include "auth/base64url.hpp"
#include "auth/keyed_hash.hpp"

namespace entrepot::auth {
namespace {

namespace json = boost::json;

using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)>;
using Parameters = std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)>;
using Context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

std::string text_of(const json::object& jwk, std::string_view name) {
  const auto* const member = jwk.if_contains(name);
  const auto* const text = member == nullptr ? nullptr : member->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

// The bytes of a member; empty when it is not there or not base64url.
std::string bytes_of(const json::object& jwk, std::string_view name) {
  return from_base64url(text_of(jwk, name)).value_or("");
}

const unsigned char* octets(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number number(const std::string& bytes) {
  return {BN_bin2bn(octets(bytes), static_cast<int>(bytes.size()), nullptr), BN_free};
}

// Null when OpenSSL does not take it, a point off its curve among that.
KeyHandle make_key(const char* kind, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder), OSSL_PARAM_free);
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* made = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  auto key = own_key(made);
  const Context check(EVP_PKEY_CTX_new(key.get(), nullptr), EVP_PKEY_CTX_free);
  if (!check || EVP_PKEY_public_check(check.get()) != 1) return nullptr;
  return key;
}

KeyHandle rsa_key(const json::object& jwk) {
  constexpr std::size_t longest = 2048;  // bytes: far above what we accept
  const auto modulus = bytes_of(jwk, "n");
  const auto exponent = bytes_of(jwk, "e");
  if (modulus.empty() || exponent.empty() || modulus.size() > longest || exponent.size() > 8) {
    return nullptr;
  }
  const auto n = number(modulus);
  const auto e = number(exponent);
  const Builder builder(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  if (!n || !e || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  return make_key("RSA", builder.get());
}

KeyHandle ec_key(const json::object& jwk, const char* curve, std::size_t coordinate_size) {
  const auto x = bytes_of(jwk, "x");
  const auto y = bytes_of(jwk, "y");
  if (x.size() != coordinate_size || y.size() != coordinate_size) return nullptr;
  const auto point = '\x04' + x + y;  // uncompressed
  const Builder builder(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return make_key("EC", builder.get());
}

KeyHandle ed25519_key(const json::object& jwk) {
  const auto x = bytes_of(jwk, "x");
  return own_key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(x), x.size()));
}

// Whether a member that may be left out says something else.
bool contradicts(const json::object& jwk, std::string_view name, std::string_view wanted) {
  return jwk.contains(name) && text_of(jwk, name) != wanted;
}

std::optional<KeyHandle> read_key(const json::object& jwk) {
  const auto kind = text_of(jwk, "kty");
  const auto curve = text_of(jwk, "crv");
  if (kind == "RSA") return rsa_key(jwk);
  if (kind == "EC" && curve == "P-256") return ec_key(jwk, "P-256", 32);
  if (kind == "EC" && curve == "P-384") return ec_key(jwk, "P-384", 48);
  if (kind == "OKP" && curve == "Ed25519") return ed25519_key(jwk);
  return std::nullopt;
}

}  // namespace

std::expected<std::optional<PublicKey>, std::string> parse_jwk(const json::object& jwk) {
  if (contradicts(jwk, "use", "sig")) return std::nullopt;
  auto handle = read_key(jwk);
  if (!handle) return std::nullopt;
  auto key = PublicKey::of(std::move(*handle), text_of(jwk, "kid"));
  if (!key) return std::unexpected(std::move(key.error()));
  if (contradicts(jwk, "alg", to_string(key->algorithm()))) return std::nullopt;
  return std::move(*key);
}

std::string thumbprint_p256(std::string_view x, std::string_view y) {
  return to_base64url(plain_hash(R"({"crv":"P-256","kty":"EC","x":")" + to_base64url(x) +
                                 R"(","y":")" + to_base64url(y) + "\"}"));
}

}  // namespace entrepot::auth
