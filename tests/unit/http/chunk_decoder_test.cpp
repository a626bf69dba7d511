#include "http/chunk_decoder.hpp"

#include <gtest/gtest.h>

namespace entrepot::http::chunk_decoder_test {
namespace {

// The payload and what was left behind it, or "broken".
std::string decode(std::string_view input, std::size_t piece) {
  ChunkDecoder decoder;
  std::string payload;
  while (!input.empty() && !decoder.done()) {
    const auto step = decoder.decode(input.substr(0, piece));
    if (!step) return "broken";
    EXPECT_GT(step->consumed, 0U);
    payload += step->data;
    input.remove_prefix(step->consumed);
  }
  return decoder.done() ? payload + "|" + std::string(input) : payload + "...";
}

// The same, in pieces of a buffer that is decoded in place.
std::string decode_all(std::string_view input, std::size_t piece) {
  ChunkDecoder decoder;
  std::string payload;
  std::string bytes(input);
  std::span<char> rest(bytes);
  while (!rest.empty() && !decoder.done()) {
    const auto step = decoder.decode_all(rest.first(std::min(piece, rest.size())));
    if (!step) return "broken";
    EXPECT_GT(step->consumed, 0U);
    payload += step->data;
    rest = rest.subspan(step->consumed);
  }
  const std::string behind(rest.begin(), rest.end());
  return decoder.done() ? payload + "|" + behind : payload + "...";
}

// Rows: H-07, H-11, H-15
TEST(ChunkDecoder, same_payload_however_it_is_cut) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"0\r\n\r\nrest", "|rest"},
      {"5\r\nhello\r\n0\r\n\r\n", "hello|"},
      {"5\r\nhello\r\n00006\r\n world\r\n000\r\n\r\nGET", "hello world|GET"},
      {"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789|"},
      {"2;x=\"y\"\r\n\r\n\r\n0;last\r\nX: y\r\nZ: \r\n\r\nrest", "\r\n|rest"},
      {"5\r\nhel", "hel..."},
      {"5\r\nhello\r\n0\r\n", "hello..."},
      {"5\r\nhelloX", "broken"},
      {"5\nhello", "broken"},
      {"5\rhello", "broken"},
      {"5 \r\n", "broken"},
      {" 5\r\n", "broken"},
      {"-5\r\n", "broken"},
      {"0x5\r\n", "broken"},
      {"\r\n", "broken"},
      {";x\r\n", "broken"},
      {"1000000000000000\r\n", "broken"},
      {"5;a\nb\r\n", "broken"},
      {"0\r\n\n", "broken"},
      {"0\r\nX: y\n\r\n", "broken"},
      {"0\r\nX: \x01\r\n\r\n", "broken"},
      {"0\r\n\rX", "broken"},
  };
  for (const auto& [input, expected] : cases) {
    for (std::size_t piece = 1; piece <= input.size(); ++piece) {
      EXPECT_EQ(decode(input, piece), expected) << input << " in pieces of " << piece;
      EXPECT_EQ(decode_all(input, piece), expected) << input << " in pieces of " << piece;
    }
  }
}

}  // namespace
}  // namespace entrepot::http::chunk_decoder_test
