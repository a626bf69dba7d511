// The head of a request: found in the bytes that arrive, then parsed by Beast. What it means for
// the framing is decided by the gate.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "entrepot/http/headers.hpp"
#include "http/rejection.hpp"

namespace entrepot::http {

inline constexpr std::size_t most_head_bytes = 32 * 1024;

struct RequestHead {
  std::string method;
  std::string target;  // as sent
  int minor_version = 1;
  Headers headers;
};

// Looks for the empty line that ends a head, without looking at any byte twice. Refuses at once
// what can no longer become an acceptable head (reliability.md H-07, H-09).
class HeadScanner {
 public:
  // `received` is everything since the head began; absent while its end is not there. The value is
  // the length of the head.
  std::expected<std::optional<std::size_t>, Rejection> scan(std::string_view received);
  // True once it has seen a byte.
  bool started() const { return scanned_ > 0; }

 private:
  std::optional<Rejection> check_line(std::string_view line);

  std::size_t scanned_ = 0;
  std::size_t line_begin_ = 0;
  std::size_t lines_ = 0;
};

// `head` is one whole head, as delimited by a HeadScanner.
std::expected<RequestHead, Rejection> parse_head(std::string_view head);

}  // namespace entrepot::http
