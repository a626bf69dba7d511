#include "entrepot/transfer/site_key.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "entrepot/base/bytes.hpp"
#include "entrepot/base/log.hpp"
#include "entrepot/oci/digest.hpp"
#include "transfer/bundle/durable_file.hpp"

namespace entrepot::transfer {
namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t signature_size = 64;
constexpr std::size_t largest_file = 16 << 10;

using Bytes = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

void require(bool done) {
  if (!done) throw std::runtime_error("OpenSSL cannot use the site key");
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string new_key_text() {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  const Bytes text(BIO_new(BIO_s_mem()), BIO_free);
  require(key != nullptr && text != nullptr);
  require(PEM_write_bio_PKCS8PrivateKey(text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                        nullptr) == 1);
  char* start = nullptr;
  const auto length = BIO_get_mem_data(text.get(), &start);
  return {start, static_cast<std::size_t>(length)};
}

Key parse_key(std::string_view text) {
  const Bytes bytes(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  // An encrypted key asks for a passphrase on the terminal unless it is given one.
  std::string none;
  return {PEM_read_bio_PrivateKey(bytes.get(), nullptr, nullptr, none.data()), EVP_PKEY_free};
}

}  // namespace

SiteKey SiteKey::load_or_make(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) {
    DurableFile file(path, 0600);
    file.append(new_key_text());
    if (file.finish(DurableFile::Replace::no)) {
      base::log::info("made a key for this site", {{"file", path.string()}});
    }
  }
  Handle key = parse_key(read_file(path, largest_file));
  std::string raw(key_size, '\0');
  std::size_t size = raw.size();
  if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(raw.data()), &size) !=
          1) {
    throw std::runtime_error(path.string() + " is not a private key of Ed25519");
  }
  return {std::move(key), base::to_base64(raw)};
}

std::string SiteKey::sign(std::string_view text) const {
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::string signature(signature_size, '\0');
  std::size_t size = signature.size();
  require(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1);
  require(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                         bytes_of(text), text.size()) == 1);
  return signature;
}

std::string key_id(std::string_view public_key) {
  const auto raw = base::from_base64(public_key);
  if (!raw || raw->size() != key_size) return {};
  return oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(*raw)).hex().substr(0, 16);
}

bool is_signed_by(std::string_view public_key, std::string_view text, std::string_view signature) {
  const auto raw = base::from_base64(public_key);
  if (!raw || raw->size() != key_size || signature.size() != signature_size) return false;
  const Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(*raw), raw->size()),
                EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!key || !context) return false;
  if (EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1) return false;
  return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text),
                          text.size()) == 1;
}

std::optional<TrustedKey> believed(const std::vector<TrustedKey>& keys,
                                   std::string_view public_key) {
  // Padding and the like may differ, the 32 bytes may not.
  const auto wanted = base::from_base64(public_key);
  if (!wanted || wanted->size() != key_size) return std::nullopt;
  const auto found = std::ranges::find_if(
      keys, [&](const TrustedKey& each) { return base::from_base64(each.key) == wanted; });
  return found == keys.end() ? std::nullopt : std::optional(*found);
}

}  // namespace entrepot::transfer
