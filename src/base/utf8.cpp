#include "entrepot/base/utf8.hpp"

namespace entrepot::base {

namespace {

struct Lead {
  std::size_t length;
  unsigned char bits;  // of the code point in the first byte
  char32_t least;      // anything below is overlong
};

std::optional<Lead> lead_of(unsigned char byte) {
  if (byte < 0x80) return Lead{1, byte, 0};
  if (byte >> 5 == 0b110) return Lead{2, static_cast<unsigned char>(byte & 0x1f), 0x80};
  if (byte >> 4 == 0b1110) return Lead{3, static_cast<unsigned char>(byte & 0x0f), 0x800};
  if (byte >> 3 == 0b11110) return Lead{4, static_cast<unsigned char>(byte & 0x07), 0x10000};
  return std::nullopt;
}

}  // namespace

std::optional<CodePoint> first_code_point(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto lead = lead_of(static_cast<unsigned char>(text[0]));
  if (!lead || text.size() < lead->length) return std::nullopt;
  char32_t value = lead->bits;
  for (const char c : text.substr(1, lead->length - 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >> 6 != 0b10) return std::nullopt;
    value = value << 6 | (byte & 0x3f);
  }
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < lead->least || value > 0x10ffff || surrogate) return std::nullopt;
  return CodePoint{value, lead->length};
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const auto point = first_code_point(text);
    valid += point ? text.substr(0, point->length) : std::string_view("\xef\xbf\xbd");
    text.remove_prefix(point ? point->length : 1);
  }
  return valid;
}

}  // namespace entrepot::base
