// A content digest (OCI image-spec, descriptor.md "Digests"): the only name content has.
//
// Parsed once at the border and never a string again, so a path or a key built from a Digest can
// hold nothing but validated hexadecimal (reliability.md M-02).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "entrepot/base/bytes.hpp"

namespace entrepot::oci {

enum class Algorithm : std::uint8_t { sha256 = 1, sha512 = 2 };

// "sha256", "sha512": as in the digest's text and in the store's paths.
std::string_view to_string(Algorithm algorithm);

class Digest {
 public:
  // "sha256:" and 64, or "sha512:" and 128, lower-case hexadecimal characters; otherwise absent.
  static std::optional<Digest> parse(std::string_view text);
  // From the index: exactly size_of(algorithm) bytes; otherwise absent.
  static std::optional<Digest> from_raw(Algorithm algorithm, base::ByteView raw);
  static Digest of(Algorithm algorithm, base::ByteView content);
  static constexpr std::size_t size_of(Algorithm algorithm) {
    return algorithm == Algorithm::sha256 ? 32 : 64;
  }

  Algorithm algorithm() const { return algorithm_; }
  base::ByteView raw() const { return {raw_.data(), size_of(algorithm_)}; }
  std::string hex() const { return base::to_hex(raw()); }
  std::string text() const;

  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  Digest() = default;
  Algorithm algorithm_ = Algorithm::sha256;
  std::array<std::byte, 64> raw_{};  // bytes past size_of() stay zero, so comparison is total
};

// Running hash of content that arrives in pieces. Not thread-safe; movable.
class Hasher {
 public:
  explicit Hasher(Algorithm algorithm);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(base::ByteView bytes);
  // The digest of everything so far; the running hash goes on unharmed.
  Digest current() const;
  // Independent copy of the running state.
  Hasher fork() const;

 private:
  struct State;
  explicit Hasher(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace entrepot::oci

template <>
struct std::hash<entrepot::oci::Digest> {
  std::size_t operator()(const entrepot::oci::Digest& digest) const noexcept;
};
