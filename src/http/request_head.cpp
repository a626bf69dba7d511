#include "http/request_head.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include "http/scan.hpp"

namespace entrepot::http {

namespace {

namespace beast = boost::beast;

constexpr std::size_t most_line_bytes = 8 * 1024;
constexpr std::size_t most_fields = 64;
constexpr char tls_handshake = 0x16;

Rejection bad(std::string detail) { return {.detail = std::move(detail)}; }

Rejection too_large(std::string detail) { return {.status = 431, .detail = std::move(detail)}; }

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

// Beast checks the syntax; fields go straight into our own Headers, in their order. The body is
// never shown to it.
class HeadParser : public beast::http::basic_parser<true> {
 public:
  RequestHead head;

 private:
  using Error = boost::system::error_code;

  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                       int version, Error&) override {
    head.method = view(method);
    head.target = view(target);
    head.minor_version = version % 10;
  }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     Error&) override {
    head.headers.add(view(name), view(value));
  }
  void on_response_impl(int, beast::string_view, int, Error&) override {}
  void on_header_impl(Error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
  std::size_t on_body_impl(beast::string_view, Error&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, Error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, Error&) override { return 0; }
  void on_finish_impl(Error&) override {}
};

}  // namespace

std::optional<Rejection> HeadScanner::check_line(std::string_view line) {
  if (!line.ends_with('\r')) return bad("line ends without carriage return");
  if (line.size() - 1 > most_line_bytes) return too_large("header line too long");
  const bool continued = line.front() == ' ' || line.front() == '\t';
  if (continued) return bad("folded header line");
  if (++lines_ > most_fields + 1) return too_large("too many header fields");
  return std::nullopt;
}

std::expected<std::optional<std::size_t>, Rejection> HeadScanner::scan(std::string_view received) {
  if (!received.empty() && received.front() == tls_handshake) {
    return std::unexpected(bad("this port speaks HTTP without TLS"));
  }
  for (auto end = received.find('\n', scanned_); end != std::string_view::npos;
       end = received.find('\n', line_begin_)) {
    const auto line = received.substr(line_begin_, end - line_begin_);
    line_begin_ = end + 1;
    if (line_begin_ > most_head_bytes) return std::unexpected(too_large("header too large"));
    if (line == "\r" && lines_ > 0) return line_begin_;
    if (line.empty() || line == "\r") return std::unexpected(bad("empty request line"));
    if (auto rejection = check_line(line)) return std::unexpected(std::move(*rejection));
  }
  scanned_ = received.size();
  if (received.size() - line_begin_ > most_line_bytes + 1) {
    return std::unexpected(too_large("header line too long"));
  }
  if (received.size() >= most_head_bytes) return std::unexpected(too_large("header too large"));
  return std::nullopt;
}

std::expected<RequestHead, Rejection> parse_head(std::string_view head) {
  HeadParser parser;
  parser.header_limit(most_head_bytes + 1);
  parser.body_limit(boost::none);
  boost::system::error_code ec;
  const auto used = parser.put(boost::asio::buffer(head.data(), head.size()), ec);
  if (ec) return std::unexpected(bad("malformed request: " + ec.message()));
  if (used != head.size() || !parser.is_header_done()) {
    return std::unexpected(bad("malformed request"));
  }
  return std::move(parser.head);
}

}  // namespace entrepot::http
