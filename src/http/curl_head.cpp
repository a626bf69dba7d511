#include "http/curl_head.hpp"

#include "entrepot/base/units.hpp"

namespace entrepot::http {
namespace {

constexpr std::size_t most_header_bytes = 64 * 1024;
constexpr int most_informational = 16;

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace

CurlHead::State CurlHead::refuse(std::string_view why) {
  error_ = why;
  return state_ = State::refused;
}

CurlHead::State CurlHead::feed(std::string_view line) {
  if (state_ != State::reading) return state_;
  bytes_ += line.size();
  if (bytes_ > most_header_bytes) return refuse("more than 64 KiB of response headers");
  if (status_ == 0) return begin(trim(line));
  if (trim(line).empty()) return end();
  return field(line);
}

// "HTTP/1.1 200 OK", "HTTP/2 200"
CurlHead::State CurlHead::begin(std::string_view line) {
  const auto blank = line.find(' ');
  if (!line.starts_with("HTTP/") || blank == std::string_view::npos)
    return refuse("malformed status line");
  const auto code = base::parse_unsigned(line.substr(blank + 1, 3));
  if (!code || *code < 100 || *code > 599 || *code == 101) return refuse("impossible status");
  status_ = static_cast<int>(*code);
  return state_;
}

CurlHead::State CurlHead::field(std::string_view line) {
  const auto colon = line.find(':');
  // A blank before the colon, or at the start (folding), hides a field from one reader and not from
  // another.
  if (colon == std::string_view::npos || colon == 0 ||
      line.substr(0, colon).find_first_of(" \t") != std::string_view::npos)
    return refuse("malformed response header");
  headers_.add(line.substr(0, colon), trim(line.substr(colon + 1)));
  return state_;
}

CurlHead::State CurlHead::end() {
  if (status_ < 200) {
    if (++informational_ > most_informational) return refuse("too many informational responses");
    status_ = 0;
    headers_ = {};
    return state_;
  }
  const auto lengths = headers_.all("Content-Length");
  const auto codings = headers_.all("Transfer-Encoding");
  if (lengths.size() > 1) return refuse("more than one Content-Length");
  if (!lengths.empty() && !codings.empty())
    return refuse("Content-Length beside Transfer-Encoding");
  if (codings.size() > 1 || (!codings.empty() && !equals_ignoring_case(codings[0], "chunked")))
    return refuse("Transfer-Encoding other than chunked");
  if (!lengths.empty()) {
    content_length_ = base::parse_unsigned(lengths[0]);
    if (!content_length_ || *content_length_ > INT64_MAX) return refuse("malformed Content-Length");
  }
  return state_ = State::complete;
}

}  // namespace entrepot::http
