// Strict UTF-8 (RFC 3629): for text that leaves the house, in log lines and JSON answers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot::base {

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  // in bytes
};

// The code point `text` starts with; absent when empty, overlong, a surrogate, above U+10FFFF or
// cut short.
std::optional<CodePoint> first_code_point(std::string_view text);

// `text` with every byte that is not part of a code point replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

}  // namespace entrepot::base
