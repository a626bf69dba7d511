#include "index/keys.hpp"

#include <algorithm>
#include <stdexcept>

namespace entrepot::index {
namespace {

std::array<std::byte, 4> big_endian(std::uint32_t value) {
  return {std::byte(value >> 24), std::byte(value >> 16), std::byte(value >> 8), std::byte(value)};
}

std::uint64_t big_endian_number(base::ByteView bytes) {
  std::uint64_t value = 0;
  for (const auto byte : bytes) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

}  // namespace

void Key::add(base::ByteView bytes) {
  if (bytes.size() > bytes_.size() - size_) throw std::length_error("index key too long");
  std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
  size_ += bytes.size();
}

Key& Key::repository(RepositoryId id) {
  add(big_endian(static_cast<std::uint32_t>(id)));
  return *this;
}

Key& Key::upstream(UpstreamId id) {
  add(big_endian(static_cast<std::uint32_t>(id)));
  return *this;
}

Key& Key::number(std::uint64_t value) {
  std::array<std::byte, 8> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte(value >> (56 - 8 * i));
  add(bytes);
  return *this;
}

Key& Key::text(std::string_view text) {
  add(base::as_bytes(text));
  return *this;
}

Key& Key::digest(const oci::Digest& digest) {
  const auto algorithm = static_cast<std::byte>(digest.algorithm());
  add({&algorithm, 1});
  add(digest.raw());
  return *this;
}

Key& Key::separator() {
  constexpr auto zero = std::byte{0};
  add({&zero, 1});
  return *this;
}

std::optional<oci::Digest> digest_in_key(base::ByteView key, std::size_t offset) {
  if (key.size() <= offset) return std::nullopt;
  const auto algorithm = static_cast<oci::Algorithm>(key[offset]);
  if (algorithm != oci::Algorithm::sha256 && algorithm != oci::Algorithm::sha512) {
    return std::nullopt;
  }
  const auto raw = key.subspan(offset + 1);
  const auto size = oci::Digest::size_of(algorithm);
  if (raw.size() < size) return std::nullopt;
  return oci::Digest::from_raw(algorithm, raw.first(size));
}

std::size_t key_size(const oci::Digest& digest) { return 1 + digest.raw().size(); }

std::optional<RepositoryId> repository_in_key(base::ByteView key, std::size_t offset) {
  if (key.size() < offset + sizeof(RepositoryId)) return std::nullopt;
  const auto value = big_endian_number(key.subspan(offset, sizeof(RepositoryId)));
  return RepositoryId{static_cast<std::uint32_t>(value)};
}

std::optional<std::uint64_t> number_in_key(base::ByteView key, std::size_t offset) {
  if (key.size() < offset + sizeof(std::uint64_t)) return std::nullopt;
  return big_endian_number(key.subspan(offset, sizeof(std::uint64_t)));
}

}  // namespace entrepot::index
