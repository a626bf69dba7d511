#include "auth/key_set.hpp"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <memory>
#include <stdexcept>

#include "auth/jwk.hpp"
#include "auth/small_file.hpp"

namespace entrepot::auth {
namespace {

namespace json = boost::json;
using Keys = std::expected<std::vector<PublicKey>, std::string>;

Keys parse_jwks(std::string_view text) {
  json::error_code error;
  const auto document = json::parse(text, error);
  const auto* const object = error ? nullptr : document.if_object();
  const auto* const member = object == nullptr ? nullptr : object->if_contains("keys");
  const auto* const list = member == nullptr ? nullptr : member->if_array();
  if (list == nullptr) return std::unexpected("not a JSON Web Key set");
  std::vector<PublicKey> keys;
  for (const auto& each : *list) {
    if (!each.is_object()) return std::unexpected("not a JSON Web Key set");
    auto key = parse_jwk(each.get_object());
    if (!key) return std::unexpected(std::move(key.error()));
    if (*key) keys.push_back(std::move(**key));
  }
  return keys;
}

// One block of a PEM file, freed as OpenSSL wants it.
struct Block {
  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
  }
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
};

KeyHandle key_of(const Block& block) {
  const unsigned char* place = block.data;
  const std::string_view name = block.name;
  if (name == PEM_STRING_PUBLIC) return own_key(d2i_PUBKEY(nullptr, &place, block.size));
  if (name != PEM_STRING_X509) return nullptr;
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      d2i_X509(nullptr, &place, block.size), X509_free);
  return certificate ? own_key(X509_get_pubkey(certificate.get())) : nullptr;
}

Keys parse_pem(std::string_view text) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bytes(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  std::vector<PublicKey> keys;
  for (;;) {
    Block block;
    if (PEM_read_bio(bytes.get(), &block.name, &block.header, &block.data, &block.size) != 1) break;
    auto handle = key_of(block);
    if (!handle) return std::unexpected("neither a public key nor a certificate");
    auto key = PublicKey::of(std::move(handle), {});
    if (!key) return std::unexpected(std::move(key.error()));
    keys.push_back(std::move(*key));
  }
  return keys;
}

}  // namespace

std::expected<KeySet, std::string> KeySet::parse(std::string_view text) {
  const auto start = text.find_first_not_of(" \t\r\n");
  const bool is_json = start != text.npos && text[start] == '{';
  auto keys = is_json ? parse_jwks(text) : parse_pem(text);
  if (!keys) return std::unexpected(std::move(keys.error()));
  if (keys->empty()) return std::unexpected("no key in it can be used");
  if (keys->size() > most_keys) return std::unexpected("it has more than 32 keys");
  return KeySet(std::move(*keys));
}

KeySet KeySet::read(const std::filesystem::path& path) {
  auto keys = parse(required_text(path));
  if (!keys) throw std::runtime_error(path.string() + ": " + keys.error());
  return std::move(*keys);
}

bool KeySet::signed_this(const UnverifiedToken& token) const {
  return std::ranges::any_of(keys_, [&token](const PublicKey& key) {
    const bool meant = key.id().empty() || token.key_id.empty() || key.id() == token.key_id;
    return meant && to_string(key.algorithm()) == token.algorithm &&
           key.verifies(token.signed_text, token.signature);
  });
}

}  // namespace entrepot::auth
