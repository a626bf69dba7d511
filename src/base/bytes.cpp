#include "entrepot/base/bytes.hpp"

#include <array>

namespace entrepot::base {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t not_a_digit = 0xff;

constexpr std::array<std::uint8_t, 256> values_of(std::string_view digits) {
  std::array<std::uint8_t, 256> values{};
  values.fill(not_a_digit);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    values[static_cast<unsigned char>(digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr auto hex_values = values_of(hex_digits);
constexpr auto base64_values = values_of(base64_digits);

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string text(bytes.size() * 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto value = std::to_integer<unsigned>(bytes[i]);
    text[2 * i] = hex_digits[value >> 4];
    text[2 * i + 1] = hex_digits[value & 15];
  }
  return text;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes(text.size() / 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned high = hex_values[static_cast<unsigned char>(text[2 * i])];
    const unsigned low = hex_values[static_cast<unsigned char>(text[2 * i + 1])];
    if ((high | low) > 15) return std::nullopt;
    bytes[i] = static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::string to_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto group = bytes.substr(i, 3);
    unsigned bits = 0;
    for (const char c : group) bits = bits << 8 | static_cast<unsigned char>(c);
    bits <<= 8 * (3 - group.size());
    for (std::size_t digit = 0; digit < 4; ++digit) {
      text += digit <= group.size() ? base64_digits[bits >> (18 - 6 * digit) & 63] : '=';
    }
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  const auto digits = text.substr(0, text.find('='));
  const auto padding = text.substr(digits.size());
  if (digits.size() % 4 == 1) return std::nullopt;
  const std::size_t wanted = (4 - digits.size() % 4) % 4;
  if (!padding.empty() && padding != std::string_view("==").substr(0, wanted)) return std::nullopt;

  std::string bytes;
  bytes.reserve(digits.size() * 3 / 4);
  unsigned bits = 0;
  unsigned held = 0;
  for (const char c : digits) {
    const auto value = base64_values[static_cast<unsigned char>(c)];
    if (value == not_a_digit) return std::nullopt;
    bits = (bits << 6 | value) & 0xfff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 0xff);
  }
  return bytes;
}

}  // namespace entrepot::base
