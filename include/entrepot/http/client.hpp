// One HTTP exchange with another server, over libcurl on the caller's own thread. Follows no
// redirect, knows no authentication: policy lives in the room upstream.
//
// The response body is pulled; what is not pulled stays in the kernel (bounded buffer, the transfer
// pauses). Destroying a Response aborts its transfer; that happens on the thread that sent the
// request, or after its io_context is gone.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "entrepot/async/byte_source.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/base/bytes.hpp"
#include "entrepot/http/headers.hpp"
#include "entrepot/http/lane.hpp"

namespace entrepot::http {

enum class AddressPolicy {
  any,          // the operator wrote this address into the configuration
  public_only,  // somebody else chose it: private, loopback, link-local and the like are refused at
                // connect, on the address really connected to (reliability.md U-07, U-08)
};
enum class HttpVersion { http1, http2 };

// How to reach a server; shared by every exchange with one upstream. Immutable.
struct Transport {
  std::string ca_file;  // empty: the system's authorities
  std::string client_certificate;
  std::string client_key;
  std::string unix_socket;  // connect there, whatever the URL says; empty: by the URL
  std::string proxy;        // empty: none, whatever the environment says
  std::string no_proxy;
  HttpVersion version = HttpVersion::http1;
  std::chrono::milliseconds connect{5'000};      // resolve, connect and TLS
  std::chrono::milliseconds first_byte{20'000};  // from the last byte sent to the response's head
  std::chrono::milliseconds idle{30'000};  // between two pieces of the body, while we want one;
                                           // when uploading, while the server takes none
  std::chrono::milliseconds total{0};      // whole exchange; 0: none
};

struct ClientRequest {
  std::string method = "GET";  // GET, HEAD, POST, PUT, PATCH, DELETE
  std::string url;             // http or https, nothing else
  Headers headers;             // the whole of them, but Host and Connection
  std::string body;            // for POST, PUT, PATCH and DELETE
  // Instead of `body`: the bytes [upload_from, size) of it, read as they are sent by the coroutine
  // that called send(), with their length; nothing but one chunk is held. send() throws what the
  // source throws. An answer ends the sending, however much is left (it is seen when the source's
  // read returns). "Expect: 100-continue" among the headers holds the body back for the server's
  // word, one second at most.
  std::shared_ptr<async::ByteSource> upload{};
  std::uint64_t upload_from = 0;
  // Instead of the transport's: a long poll, a server that has much to do before it answers.
  std::optional<std::chrono::milliseconds> first_byte{};
  std::shared_ptr<Lane> lane{};  // what it takes of a line; null: as much as it can
  AddressPolicy addresses = AddressPolicy::any;
  std::shared_ptr<const Transport> transport;
};

enum class TransportErrorKind {
  resolve,
  connect,
  refused_address,
  tls,
  timeout,
  broken,
  cancelled
};

struct TransportError {
  TransportErrorKind kind;
  std::string message;  // curl's sentence; no secrets
};
std::string_view to_string(TransportErrorKind kind);

class Response {
 public:
  virtual ~Response() = default;
  virtual int status() const = 0;
  virtual const Headers& headers() const = 0;
  // From one Content-Length header; absent when there is none.
  virtual std::optional<std::uint64_t> content_length() const = 0;

  // The next piece of the body (at most 256 KiB, valid until the next call); empty view at its end.
  // A body shorter than its Content-Length, or a chunked one without its last chunk, ends in
  // `broken`. Waits up to `gather` to return more than a few bytes: fewer, larger pieces (0: at
  // once).
  virtual async::Task<std::expected<base::ByteView, TransportError>> next(
      std::chrono::milliseconds gather) = 0;
  // Whoever holds it keeps the piece last returned by next() alive for longer.
  virtual std::shared_ptr<const void> piece_owner() const = 0;
};

// Thread-safe; an exchange runs entirely on the thread that started it.
class Client {
 public:
  Client();
  ~Client();

  // Returns when the response head is complete. Heads with contradictory framing (two lengths,
  // length beside chunked), more than 64 KiB of headers or more than 16 informational responses are
  // `broken` (reliability.md H-16).
  async::Task<std::expected<std::unique_ptr<Response>, TransportError>> send(ClientRequest request);
};

// Reads at most `most` bytes of body; `broken` when there is more.
async::Task<std::expected<std::string, TransportError>> read_all(Response& response,
                                                                 std::size_t most);

}  // namespace entrepot::http
