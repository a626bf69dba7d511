#include "store/layout.hpp"

#include <sys/random.h>

#include <array>
#include <cctype>

#include "entrepot/base/bytes.hpp"
#include "entrepot/base/unique_fd.hpp"

namespace entrepot::store::layout {
namespace {

constexpr std::string_view fill_prefix = "fill-";
constexpr std::string_view upload_prefix = "upload-";
constexpr std::string_view notes_suffix = ".session";
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

bool is_dashed(std::string_view text) {
  std::string digest(text);
  if (const auto dash = digest.find('-'); dash != std::string::npos) digest[dash] = ':';
  return oci::Digest::parse(digest).has_value();
}

bool is_hex(std::string_view text) {
  return text.size() == 2 * anonymous_bytes && base::from_hex(text);
}

SpoolName classify_upload(std::string_view rest) {
  if (is_upload_id(rest)) return SpoolName::upload;
  if (!rest.ends_with(notes_suffix)) return SpoolName::unknown;
  rest.remove_suffix(notes_suffix.size());
  return is_upload_id(rest) ? SpoolName::upload_notes : SpoolName::unknown;
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

std::string upload_spool(std::string_view id) {
  return std::string(upload_prefix) + std::string(id);
}

std::string upload_notes(std::string_view id) {
  return upload_spool(id) + std::string(notes_suffix);
}

bool is_upload_id(std::string_view id) { return is_hex(id); }

SpoolName classify_spool(std::string_view name) {
  if (name.starts_with(fill_prefix)) {
    return is_dashed(name.substr(fill_prefix.size())) ? SpoolName::fill : SpoolName::unknown;
  }
  if (name.starts_with(upload_prefix)) return classify_upload(name.substr(upload_prefix.size()));
  return is_hex(name) ? SpoolName::anonymous : SpoolName::unknown;
}

std::string upload_in(std::string_view name) {
  return std::string(name.substr(upload_prefix.size(), 2 * anonymous_bytes));
}

std::string quarantined(const oci::Digest& digest) {
  return dashed(digest) + '-' + random_hex<8>();
}

std::string trashed(const oci::Digest& digest) { return dashed(digest); }

bool is_trashed(std::string_view name) { return is_dashed(name); }

}  // namespace entrepot::store::layout
