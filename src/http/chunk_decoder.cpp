#include "http/chunk_decoder.hpp"

#include <algorithm>
#include <cstring>

#include "http/scan.hpp"

namespace entrepot::http {

namespace {

constexpr unsigned most_size_digits = 15;
constexpr std::size_t most_chunk_extension = 256;
constexpr std::size_t most_extensions = 1024;
constexpr std::size_t most_trailers = 8 * 1024;

bool is_text(char c) { return c == '\t' || (c >= ' ' && c != '\x7f') || c < 0; }

}  // namespace

ChunkDecoder::State ChunkDecoder::after_size(char c) {
  if (digits_ == 0) return State::broken;
  if (c == '\r') return State::size_end;
  chunk_extension_ = 0;
  return c == ';' ? State::extension : State::broken;
}

ChunkDecoder::State ChunkDecoder::next(char c) {
  const auto only = [c](char expected, State then) { return c == expected ? then : State::broken; };
  switch (state_) {
    case State::size:
      if (hex_value(c) < 0) return after_size(c);
      left_ = left_ * 16 + static_cast<unsigned>(hex_value(c));
      return ++digits_ > most_size_digits ? State::broken : State::size;
    case State::extension:
      if (c == '\r') return State::size_end;
      if (++chunk_extension_ > most_chunk_extension) return State::broken;
      if (++all_extensions_ > most_extensions) return State::broken;
      return is_text(c) ? State::extension : State::broken;
    case State::size_end:
      digits_ = 0;
      return only('\n', left_ == 0 ? State::line_begin : State::data);
    case State::data_return:
      return only('\r', State::data_end);
    case State::data_end:
      return only('\n', State::size);
    case State::line_begin:
      if (c == '\r') return State::last_end;
      [[fallthrough]];
    case State::trailer:
      if (++trailers_ > most_trailers) return State::broken;
      if (c == '\r') return State::trailer_end;
      return is_text(c) ? State::trailer : State::broken;
    case State::trailer_end:
      return only('\n', State::line_begin);
    case State::last_end:
      return only('\n', State::done);
    case State::data:
    case State::done:
    case State::broken:
      break;
  }
  return State::broken;
}

std::expected<ChunkDecoder::Step, Rejection> ChunkDecoder::decode(std::string_view input) {
  Step step;
  while (step.consumed < input.size() && state_ != State::done) {
    if (state_ == State::data) {
      const auto length = std::min<std::uint64_t>(left_, input.size() - step.consumed);
      step.data = input.substr(step.consumed, length);
      step.consumed += length;
      left_ -= length;
      if (left_ == 0) state_ = State::data_return;
      return step;
    }
    state_ = next(input[step.consumed]);
    ++step.consumed;
    if (state_ == State::broken) {
      return std::unexpected(Rejection{.detail = "malformed chunked body"});
    }
  }
  return step;
}

std::expected<ChunkDecoder::Step, Rejection> ChunkDecoder::decode_all(std::span<char> input) {
  Step all;
  while (all.consumed < input.size() && !done()) {
    const auto rest = input.subspan(all.consumed);
    const auto step = decode({rest.data(), rest.size()});
    if (!step && all.data.empty()) return step;
    if (!step) return all;
    all.consumed += step->consumed;
    if (step->data.empty()) continue;
    if (all.data.empty()) {
      all.data = step->data;
      continue;
    }
    const auto begin = all.data.data() - input.data();
    std::memmove(input.data() + begin + all.data.size(), step->data.data(), step->data.size());
    all.data = {all.data.data(), all.data.size() + step->data.size()};
  }
  return all;
}

}  // namespace entrepot::http
