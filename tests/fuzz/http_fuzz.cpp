// The parsers of room http. The first byte of an input chooses one, the rest is its input.
#include <algorithm>
#include <cstdlib>
#include <span>
#include <string>

#include "entrepot/http/challenge.hpp"
#include "entrepot/http/conditional.hpp"
#include "entrepot/http/link.hpp"
#include "entrepot/http/range.hpp"
#include "entrepot/http/url.hpp"
#include "http/chunk_decoder.hpp"
#include "http/curl_head.hpp"
#include "http/gate.hpp"
#include "http/proxy_trust.hpp"

namespace {

using namespace entrepot;

void require(bool promise) {
  if (!promise) std::abort();
}

void check_target(const http::Target& target) {
  require(target.path.starts_with('/'));
  const auto path = target.path + "/";
  for (const auto* never : {"/../", "/./", "%", "\\"}) require(!path.contains(never));
  require(!target.path.contains("//"));
  for (const char c : target.path) require((c < 0 || c >= ' ') && c != '\x7f');
}

void fuzz_target(std::string_view text) {
  const auto target = http::parse_target(text);
  if (!target) return;
  check_target(*target);
  for (const auto& [key, value] : target->query) {
    const auto again =
        http::parse_target("/?" + http::encode_query(key) + "=" + http::encode_query(value));
    require(again && again->query.size() == 1 && again->query[0] == std::pair(key, value));
  }
}

void fuzz_range(std::string_view text) {
  constexpr std::uint64_t size = 1000;
  const auto selection = http::select_ranges(text, size);
  const auto* ranges = std::get_if<std::vector<http::ByteRange>>(&selection);
  if (ranges == nullptr) return;
  require(!ranges->empty() && ranges->size() <= 64);
  std::uint64_t sum = 0;
  for (const auto& range : *ranges) {
    require(range.length > 0 && range.first < size && range.length <= size - range.first);
    sum += range.length;
  }
  require(sum <= size);
}

void fuzz_challenge(std::string_view text) {
  const auto challenges = http::parse_challenges(text);
  require(challenges.size() <= 16);
  for (const auto& challenge : challenges) {
    require(!challenge.scheme.empty() && challenge.parameters.size() <= 16);
  }
}

void fuzz_link(std::string_view text) {
  const auto target = http::parse_next_link(text);
  require(!target || (text.contains(*target) && !target->contains('>')));
}

// What a whole input and its single bytes decode to is the same.
std::pair<std::string, int> decode(std::string_view text, std::size_t piece) {
  http::ChunkDecoder decoder;
  std::string payload;
  while (!text.empty() && !decoder.done()) {
    const auto step = decoder.decode(text.substr(0, piece));
    if (!step) return {payload, -1};
    require(step->consumed > 0);
    payload += step->data;
    text.remove_prefix(step->consumed);
  }
  return {payload, decoder.done() ? static_cast<int>(text.size()) : -2};
}

// The same, decoded in place as bodies are.
std::pair<std::string, int> decode_in_place(std::string_view text, std::size_t piece) {
  http::ChunkDecoder decoder;
  std::string bytes(text);
  std::string payload;
  std::span<char> rest(bytes);
  while (!rest.empty() && !decoder.done()) {
    const auto step = decoder.decode_all(rest.first(std::min(piece, rest.size())));
    if (!step) return {payload, -1};
    require(step->consumed > 0);
    payload += step->data;
    rest = rest.subspan(step->consumed);
  }
  return {payload, decoder.done() ? static_cast<int>(rest.size()) : -2};
}

void fuzz_chunks(std::string_view text) {
  const auto whole = decode(text, text.size());
  require(whole == decode(text, 1));
  require(whole == decode_in_place(text, text.size()));
  require(whole == decode_in_place(text, 7));
  require(whole.first.size() <= text.size());
}

int scan(std::string_view text, std::size_t piece) {
  http::HeadScanner scanner;
  for (std::size_t size = 0; size < text.size();) {
    size = std::min(size + piece, text.size());
    const auto found = scanner.scan(text.substr(0, size));
    if (!found) return -found.error().status;
    if (*found) return static_cast<int>(**found);
  }
  return 0;
}

void fuzz_head(std::string_view text) {
  const int length = scan(text, text.size());
  require((length > 0) == (scan(text, 1) > 0));
  if (length <= 0) return;
  const auto head = http::parse_head(text.substr(0, static_cast<std::size_t>(length)));
  if (!head) return;
  const auto admission = http::admit(*head);
  if (!admission) return;
  check_target(admission->target);
  const auto lengths = head->headers.count("Content-Length");
  const auto codings = head->headers.count("Transfer-Encoding");
  require(lengths + codings <= 1);
  require((admission->framing == http::Framing::chunked) == (codings == 1));
  require(head->headers.count("Host") == 1 || head->minor_version == 0);
}

// Requests one behind the other, bodies and all, as a connection takes them apart.
struct Conversation {
  std::vector<std::pair<std::string, std::string>> requests;  // target and body
  std::size_t left = 0;                                       // bytes nobody may take for a request
};

// False when the body is broken or its end is not there.
bool take_body(const http::Admission& admission, std::string_view& text, std::string& body) {
  if (admission.framing == http::Framing::length) {
    if (text.size() < admission.content_length) return false;
    body = text.substr(0, admission.content_length);
    text.remove_prefix(body.size());
  }
  if (admission.framing != http::Framing::chunked) return true;
  const auto [payload, left] = decode_in_place(text, 64);
  if (left < 0) return false;
  body = payload;
  text.remove_prefix(text.size() - static_cast<std::size_t>(left));
  return true;
}

Conversation take_apart(std::string_view text) {
  Conversation conversation;
  while (!text.empty()) {
    const auto length = http::HeadScanner().scan(text);
    if (!length || !*length) break;
    const auto head = http::parse_head(text.substr(0, **length));
    const auto admission = head ? http::admit(*head) : std::unexpected(head.error());
    if (!admission) break;
    text.remove_prefix(**length);
    std::string body;
    if (!take_body(*admission, text, body)) break;
    conversation.requests.emplace_back(head->target, std::move(body));
    if (!admission->keep_alive) break;
  }
  conversation.left = text.size();
  return conversation;
}

// What was understood is understood again, byte for byte, when it is written the plain way: no body
// ever hides a request.
void fuzz_conversation(std::string_view text) {
  const auto first = take_apart(text);
  require(first.left <= text.size());
  std::string plain;
  for (const auto& [target, body] : first.requests) {
    // Absolute-form brings its own authority along.
    if (!target.starts_with('/')) return;
    plain += "POST " + target +
             " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
             body;
  }
  const auto again = take_apart(plain);
  require(again.requests == first.requests && again.left == 0);
}

// What proxies write is never believed from others, and never makes anybody a neighbour.
void fuzz_forwarded(std::string_view text) {
  static const http::ProxyTrust trust({.networks = {"10.0.0.0/8"}});
  http::Request request;
  request.headers.add("Host", "direct");
  const auto half = text.size() / 2;
  request.headers.add("X-Forwarded-For", text.substr(0, half));
  request.headers.add("X-Forwarded-Host", text.substr(half));
  trust.introduce(request, trust.describe(boost::asio::ip::make_address("192.0.2.1")));
  require(request.remote == "192.0.2.1" && request.origin == "http://direct");
  trust.introduce(request, trust.describe(boost::asio::ip::make_address("127.0.0.1")));
  require(!request.remote_is_loopback);
  trust.introduce(request, trust.describe(boost::asio::ip::make_address("10.0.0.1")));
  boost::system::error_code ec;
  const auto address = boost::asio::ip::make_address(request.remote, ec);
  require(!ec && request.remote_is_loopback == address.is_loopback());
  require(http::is_authority(std::string_view(request.origin).substr(7)));
}

void fuzz_url(std::string_view text) {
  const auto url = http::parse_url(text);
  if (!url) return;
  require(url->scheme == "http" || url->scheme == "https");
  require(!url->host.empty() && url->path.starts_with('/'));
  require(http::parse_url(url->text()).has_value());
  static const auto base = http::parse_url("https://base.example/a/b?c");
  if (const auto resolved = http::resolve_url(*base, text)) require(!resolved->host.empty());
}

// A whole response head, line by line as curl hands it on.
void fuzz_response_head(std::string_view text) {
  http::CurlHead head;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
    head.feed(text.substr(0, end));
    text.remove_prefix(end);
  }
  if (head.state() != http::CurlHead::State::complete) return;
  require(head.status() >= 200 && head.status() <= 599);
  const auto lengths = head.headers().count("Content-Length");
  require(lengths + head.headers().count("Transfer-Encoding") <= 1);
  require(head.content_length().has_value() == (lengths == 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 't':
      fuzz_target(text);
      break;
    case 'r':
      fuzz_range(text);
      break;
    case 'c':
      fuzz_challenge(text);
      break;
    case 'l':
      fuzz_link(text);
      break;
    case 'e':
      http::if_none_match(text, "\"sha256:ab\"");
      break;
    case 'k':
      fuzz_chunks(text);
      break;
    case 'h':
      fuzz_head(text);
      break;
    case 'b':
      fuzz_conversation(text);
      break;
    case 'f':
      fuzz_forwarded(text);
      break;
    case 'p':
      fuzz_response_head(text);
      break;
    case 'u':
      fuzz_url(text);
      break;
    default:
      break;
  }
  return 0;
}
