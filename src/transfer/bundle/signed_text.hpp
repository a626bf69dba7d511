// The form of want-files and ask-files:
//
//   entrepot <kind> 1 LF  <head: a line of JSON> LF  <public key> SP <signature> LF  <body>
//
// Signed are the first two lines and the body. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "entrepot/transfer/site_key.hpp"

namespace entrepot::transfer {

// More than ten million digests.
inline constexpr std::uint64_t largest_signed_text = 128 << 20;

// In its one spelling, or absent: nothing in a signed file may be changed unnoticed.
std::optional<std::string> strict_base64(std::string_view text);

std::string sign_text(std::string_view kind, std::string_view head, std::string_view body,
                      const SiteKey& key);

struct SignedText {
  std::string_view key;  // whose signature was compared; whether he is believed is left open
  std::string_view head;
  std::string_view body;
};
// The error is a sentence. Views point into `text`.
std::expected<SignedText, std::string> open_signed(std::string_view kind, std::string_view text);

}  // namespace entrepot::transfer
