// Takes a chunked body apart (RFC 9112 section 7.1), strictly: line ends are CRLF, sizes are
// hexadecimal digits and nothing else. Extensions and trailers are read over, never used
// (reliability.md H-11).
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "http/rejection.hpp"

namespace entrepot::http {

class ChunkDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;
    std::string_view data;  // payload among what was consumed; may be empty
  };

  // Takes at least one byte off a non-empty `input`; to be called again with the rest until done().
  std::expected<Step, Rejection> decode(std::string_view input);

  // The same for as much of `input` as belongs to the body, its payload moved together in place.
  // What is wrong behind some payload is reported by the call after the one that gives it.
  std::expected<Step, Rejection> decode_all(std::span<char> input);

  bool done() const { return state_ == State::done; }

 private:
  enum class State {
    size,
    extension,
    size_end,
    data,
    data_return,
    data_end,
    line_begin,
    trailer,
    trailer_end,
    last_end,
    done,
    broken,
  };
  State next(char c);
  State after_size(char c);

  State state_ = State::size;
  std::uint64_t left_ = 0;
  unsigned digits_ = 0;
  std::size_t chunk_extension_ = 0;
  std::size_t all_extensions_ = 0;
  std::size_t trailers_ = 0;
};

}  // namespace entrepot::http
