#include "auth/signing_key.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "auth/jwk.hpp"
#include "auth/replaced_file.hpp"
#include "auth/small_file.hpp"
#include "entrepot/base/log.hpp"

namespace entrepot::auth {
namespace {

constexpr std::size_t coordinate_size = 32;

using Bytes = std::unique_ptr<BIO, decltype(&BIO_free)>;

void require(int result) {
  if (result != 1) throw std::runtime_error("OpenSSL cannot use the token key");
}

std::string new_key_text() {
  const auto key = own_key(EVP_EC_gen("P-256"));
  const Bytes text(BIO_new(BIO_s_mem()), BIO_free);
  if (!key || !text) throw std::runtime_error("OpenSSL cannot make a token key");
  require(
      PEM_write_bio_PKCS8PrivateKey(text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr));
  char* start = nullptr;
  const auto length = BIO_get_mem_data(text.get(), &start);
  return {start, static_cast<std::size_t>(length)};
}

std::string coordinate(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &number));
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> owned(number, BN_free);
  std::string bytes(coordinate_size, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()),
               static_cast<int>(bytes.size()));
  return bytes;
}

KeyHandle parse_key(std::string_view text) {
  const Bytes bytes(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  // An encrypted key asks for a passphrase on the terminal unless it is given one.
  std::string none;
  return own_key(PEM_read_bio_PrivateKey(bytes.get(), nullptr, nullptr, none.data()));
}

}  // namespace

SigningKey::SigningKey(KeyHandle key)
    : key_(std::move(key)),
      id_(thumbprint_p256(coordinate(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X),
                          coordinate(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y))) {}

SigningKey SigningKey::load_or_make(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) {
    create_file(path, new_key_text());
    base::log::info("made a key for tokens", {{"file", path.string()}});
  }
  const auto file = read_small_file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string() + ": " + file.error());
  if ((file->state.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    base::log::warn("others than its owner may use the token key", {{"file", path.string()}});
  }
  auto key = parse_key(file->text);
  const auto usable = PublicKey::of(key, {});
  if (!usable || usable->algorithm() != Algorithm::es256) {
    throw std::runtime_error(path.string() + " is not a private EC key of the curve P-256");
  }
  return SigningKey(std::move(key));
}

PublicKey SigningKey::public_key() const {
  auto key = PublicKey::of(key_, id_);
  if (!key) throw std::runtime_error(key.error());
  return std::move(*key);
}

std::string SigningKey::sign(std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  std::array<unsigned char, 128> der{};
  std::size_t size = der.size();
  require(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()));
  require(EVP_DigestSign(context.get(), der.data(), &size,
                         reinterpret_cast<const unsigned char*>(text.data()), text.size()));
  return signature_of_der({reinterpret_cast<const char*>(der.data()), size}, coordinate_size);
}

}  // namespace entrepot::auth
