// A request as handlers see it and the reply they return. Values: no sockets, no parser types.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "entrepot/async/byte_source.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/base/bytes.hpp"
#include "entrepot/http/headers.hpp"
#include "entrepot/http/target.hpp"

namespace entrepot::http {

// The bytes behind a request's head, pulled by the handler that wants them; what it leaves is read
// or the connection closed (reliability.md H-12). Lives as long as the request. A client that waits
// for `100 Continue` gets it with the first next(): a request that is refused before costs no body
// (H-14).
class RequestBody {
 public:
  virtual ~RequestBody() = default;
  // From Content-Length, 0 when there is no body; absent for a chunked one.
  virtual std::optional<std::uint64_t> length() const = 0;
  // The next piece, at most 256 KiB, valid until the next call; empty at the end. Throws
  // oci::Refusal for bytes that are no body, BodyCut when the connection broke, stood still or was
  // too slow before the end.
  virtual async::Task<base::ByteView> next() = 0;
};

// Nobody is left to be answered: the Session closes the connection.
class BodyCut : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What kind of listener a request came in by.
enum class Via { plain, tls, control_socket };

struct Request {
  std::string id;      // ours, sixteen hexadecimal characters, unique in a run
  std::string method;  // as sent; only known methods pass the gate
  Target target;       // decoded once
  Headers headers;
  // The client's address without port: the peer's, or what a trusted proxy says it is. Empty on a
  // Unix socket.
  std::string remote;
  bool remote_is_loopback = false;
  Via via = Via::plain;
  // scheme://authority the client used, when that can be trusted: TLS or not from the listener or a
  // trusted proxy's X-Forwarded-Proto. Only for links in events; never where a secret is sent.
  std::string origin;
  std::string client_certificate;  // common name of a verified one; empty: none
  std::chrono::steady_clock::time_point received;
  RequestBody* body = nullptr;  // never null in a handler

  bool is_head() const { return method == "HEAD"; }
};

// Reads at most `most` bytes of body; absent when there are more.
async::Task<std::optional<std::string>> read_all(RequestBody& body, std::size_t most);

// Part of a body: text of our own, or `length` bytes of a source from `offset`.
struct SourcePart {
  std::shared_ptr<async::ByteSource> source;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
using Part = std::variant<std::string, SourcePart>;

// What the access log says about a request besides what the Session knows itself.
struct Trace {
  std::string_view route = "none";  // literals only
  std::string user;                 // who it was; empty: anonymous
  std::string repository;
  std::string reference;
  std::string_view cache = "-";  // hit, miss, stale, fill or "-"; literals only
  std::string upstream;
  std::chrono::milliseconds upstream_time{};
};

// The body's length is always known (design rule: never chunked, so a short body shows as short).
// For HEAD the handler fills the parts as for GET, or sets head_length; Session sends no body.
struct Reply {
  int status = 200;
  Headers headers;
  std::vector<Part> body;
  std::uint64_t head_length = 0;  // Content-Length of an answer whose body is not at hand (HEAD)
  Trace trace;
  // Runs after the last byte was sent, on the connection's thread; not when the answer failed.
  std::function<void()> after_sent{};

  std::uint64_t body_length() const;
};

Reply text_reply(int status, std::string_view content_type, std::string text);

// Thread-safe, called from every serving thread. May throw oci::Refusal (rendered as the
// specification's error body) or anything else (500, logged with the request id).
using Handler = std::function<async::Task<Reply>(const Request&)>;

// After the last body byte was sent, or could not be: for access log and metrics.
struct Finished {
  const Request& request;
  const Trace& trace;
  int status = 0;
  std::uint64_t bytes_sent = 0;  // body only
  bool complete = false;         // every byte of the body went out
  std::chrono::milliseconds duration{};
};
using Observer = std::function<void(const Finished&)>;

}  // namespace entrepot::http
