// The head of a response as it arrives from curl, line by line, checked for framing that could mean
// two things (reliability.md H-16). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "entrepot/http/headers.hpp"

namespace entrepot::http {

class CurlHead {
 public:
  enum class State { reading, complete, refused };

  // One line with its line end. After `complete` everything is ignored (trailers).
  State feed(std::string_view line);

  State state() const { return state_; }
  std::string_view error() const { return error_; }  // why it was refused
  int status() const { return status_; }
  const Headers& headers() const { return headers_; }
  std::optional<std::uint64_t> content_length() const { return content_length_; }

 private:
  State refuse(std::string_view why);
  State begin(std::string_view line);
  State field(std::string_view line);
  State end();

  State state_ = State::reading;
  std::string_view error_;
  std::size_t bytes_ = 0;
  int informational_ = 0;
  int status_ = 0;  // 0: the status line is still to come
  Headers headers_;
  std::optional<std::uint64_t> content_length_;
};

}  // namespace entrepot::http
