#include "entrepot/http/client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "entrepot/http/url.hpp"
#include "http/curl_address.hpp"
#include "http/curl_loop.hpp"
#include "http/curl_transfer.hpp"

namespace entrepot::http {
namespace {

std::unexpected<TransportError> refusal(TransportErrorKind kind, std::string message) {
  return std::unexpected(TransportError{kind, std::move(message)});
}

// A value taken from another answer (a token) must not become a header of its own.
bool clean(const Headers& headers) {
  return std::ranges::all_of(headers.fields(), [](const Headers::Field& field) {
    return std::ranges::none_of(field.first + field.second, [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte < 0x20 || byte == 0x7f;
    });
  });
}

}  // namespace

std::string_view to_string(TransportErrorKind kind) {
  switch (kind) {
    case TransportErrorKind::resolve:
      return "resolve";
    case TransportErrorKind::connect:
      return "connect";
    case TransportErrorKind::refused_address:
      return "refused_address";
    case TransportErrorKind::tls:
      return "tls";
    case TransportErrorKind::timeout:
      return "timeout";
    case TransportErrorKind::broken:
      return "broken";
    case TransportErrorKind::cancelled:
      return "cancelled";
  }
  return "broken";
}

Client::Client() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
      throw std::runtime_error("libcurl does not start");
  });
}

Client::~Client() = default;

async::Task<std::expected<std::unique_ptr<Response>, TransportError>> Client::send(
    ClientRequest request) {
  const auto url = parse_url(request.url);
  if (!url) co_return refusal(TransportErrorKind::broken, "not a usable http or https address");
  if (!clean(request.headers))
    co_return refusal(TransportErrorKind::broken, "control character in a request header");
  // By proxy the address is not ours to see; what is written as an address can still be judged.
  if (request.addresses == AddressPolicy::public_only &&
      reach_of_host(url->host) == Reach::internal)
    co_return refusal(TransportErrorKind::refused_address,
                      "the host's address is not a public one");
  const auto held = request_wait(request.lane.get());
  if (held.count() > 0)
    co_await async::sleep_for(std::chrono::ceil<std::chrono::milliseconds>(held));
  const auto executor = co_await async::this_executor();
  auto multi = CurlLoop::multi(executor, request.transport, request.addresses);
  auto transfer = std::make_unique<CurlTransfer>(std::move(multi), std::move(request), *url);
  const auto head = co_await transfer->receive_head();
  if (!head) co_return std::unexpected(head.error());
  co_return std::unique_ptr<Response>(std::move(transfer));
}

async::Task<std::expected<std::string, TransportError>> read_all(Response& response,
                                                                 std::size_t most) {
  constexpr std::chrono::milliseconds gather(5);
  if (response.content_length().value_or(0) > most)
    co_return refusal(TransportErrorKind::broken, "the body is too large");
  std::string body;
  for (;;) {
    const auto piece = co_await response.next(gather);
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return body;
    if (body.size() + piece->size() > most)
      co_return refusal(TransportErrorKind::broken, "the body is too large");
    body.append(base::as_text(*piece));
  }
}

}  // namespace entrepot::http
