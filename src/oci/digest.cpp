#include "entrepot/oci/digest.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace entrepot::oci {

namespace {

struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextDeleter>;

void require(int openssl_result) {
  if (openssl_result != 1) throw std::runtime_error("OpenSSL cannot compute a digest");
}

Context new_context() {
  Context context(EVP_MD_CTX_new());
  if (!context) throw std::bad_alloc();
  return context;
}

// Fetched once: a lookup by name in every init costs as much as hashing a small manifest.
const EVP_MD* implementation(Algorithm algorithm) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  return algorithm == Algorithm::sha256 ? sha256 : sha512;
}

// Each thread's own, reused for every one-shot digest.
EVP_MD_CTX* scratch() {
  static thread_local const Context context = new_context();
  return context.get();
}

Digest finish(EVP_MD_CTX* context, Algorithm algorithm) {
  std::array<std::byte, 64> raw{};
  require(EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(raw.data()), nullptr));
  return *Digest::from_raw(algorithm, base::ByteView(raw).first(Digest::size_of(algorithm)));
}

}  // namespace

std::string_view to_string(Algorithm algorithm) {
  return algorithm == Algorithm::sha256 ? "sha256" : "sha512";
}

std::optional<Digest> Digest::parse(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == text.npos) return std::nullopt;
  const auto word = text.substr(0, colon);
  if (word != "sha256" && word != "sha512") return std::nullopt;
  const auto algorithm = word == "sha256" ? Algorithm::sha256 : Algorithm::sha512;
  const auto digits = text.substr(colon + 1);
  if (digits.size() != 2 * size_of(algorithm)) return std::nullopt;
  const auto raw = base::from_hex(digits);
  if (!raw) return std::nullopt;
  return from_raw(algorithm, base::as_bytes(*raw));
}

std::optional<Digest> Digest::from_raw(Algorithm algorithm, base::ByteView raw) {
  const bool known = algorithm == Algorithm::sha256 || algorithm == Algorithm::sha512;
  if (!known || raw.size() != size_of(algorithm)) return std::nullopt;
  Digest digest;
  digest.algorithm_ = algorithm;
  std::ranges::copy(raw, digest.raw_.begin());
  return digest;
}

Digest Digest::of(Algorithm algorithm, base::ByteView content) {
  EVP_MD_CTX* const context = scratch();
  require(EVP_DigestInit_ex2(context, implementation(algorithm), nullptr));
  require(EVP_DigestUpdate(context, content.data(), content.size()));
  return finish(context, algorithm);
}

std::string Digest::text() const {
  std::string text(to_string(algorithm_));
  text += ':';
  text += hex();
  return text;
}

struct Hasher::State {
  Algorithm algorithm;
  Context context = new_context();
};

Hasher::Hasher(Algorithm algorithm) : state_(std::make_unique<State>(algorithm)) {
  require(EVP_DigestInit_ex2(state_->context.get(), implementation(algorithm), nullptr));
}

Hasher::Hasher(std::unique_ptr<State> state) : state_(std::move(state)) {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(base::ByteView bytes) {
  require(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()));
}

Digest Hasher::current() const {
  require(EVP_MD_CTX_copy_ex(scratch(), state_->context.get()));
  return finish(scratch(), state_->algorithm);
}

Hasher Hasher::fork() const {
  auto copy = std::make_unique<State>(state_->algorithm);
  require(EVP_MD_CTX_copy_ex(copy->context.get(), state_->context.get()));
  return Hasher(std::move(copy));
}

}  // namespace entrepot::oci

std::size_t std::hash<entrepot::oci::Digest>::operator()(
    const entrepot::oci::Digest& digest) const noexcept {
  std::size_t value = 0;  // a digest's bytes are as random as a hash can be
  std::memcpy(&value, digest.raw().data(), sizeof value);
  return value;
}
