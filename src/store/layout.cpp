#include "store/layout.hpp"

#include <sys/random.h>

#include <array>
#include <cctype>

#include "entrepot/base/bytes.hpp"
#include "entrepot/base/unique_fd.hpp"

namespace entrepot::store::layout {
namespace {

constexpr std::string_view fill_prefix = "fill-";
constexpr std::size_t anonymous_bytes = 16;

template <std::size_t Bytes>
std::string random_hex() {
  std::array<std::byte, Bytes> bytes;
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    base::throw_errno("getrandom");
  }
  return base::to_hex(bytes);
}

std::string dashed(const oci::Digest& digest) {
  return std::string(oci::to_string(digest.algorithm())) + '-' + digest.hex();
}

}  // namespace

std::string shard(unsigned number) {
  const auto byte = static_cast<std::byte>(number);
  return base::to_hex({&byte, 1});
}

std::string shard(const oci::Digest& digest) { return base::to_hex(digest.raw().first(1)); }

std::string blob_path(const oci::Digest& digest) {
  return std::string(oci::to_string(digest.algorithm())) + '/' + shard(digest) + '/' + digest.hex();
}

std::optional<oci::Digest> blob_in_shard(oci::Algorithm algorithm, std::string_view name) {
  return oci::Digest::parse(std::string(oci::to_string(algorithm)) + ':' + std::string(name));
}

std::string fill_spool(const oci::Digest& digest) {
  return std::string(fill_prefix) + dashed(digest);
}

std::string anonymous_spool() { return random_hex<anonymous_bytes>(); }

SpoolName classify_spool(std::string_view name) {
  if (name.starts_with(fill_prefix)) {
    std::string text(name.substr(fill_prefix.size()));
    if (const auto dash = text.find('-'); dash != text.npos) text[dash] = ':';
    return oci::Digest::parse(text) ? SpoolName::fill : SpoolName::unknown;
  }
  const bool ours = name.size() == 2 * anonymous_bytes && base::from_hex(name);
  return ours ? SpoolName::anonymous : SpoolName::unknown;
}

std::string quarantined(const oci::Digest& digest) {
  return dashed(digest) + '-' + random_hex<8>();
}

}  // namespace entrepot::store::layout
