// Views of bytes and the few conversions every room needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace entrepot::base {

using ByteView = std::span<const std::byte>;

inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Lower-case hexadecimal, two characters a byte.
std::string to_hex(ByteView bytes);
// Absent unless `text` is an even number of lower-case hexadecimal characters.
std::optional<std::string> from_hex(std::string_view text);

// RFC 4648 section 4, with padding.
std::string to_base64(std::string_view bytes);
// Absent when `text` is not valid base64; missing padding is accepted (docker's config.json
// varies).
std::optional<std::string> from_base64(std::string_view text);

}  // namespace entrepot::base
