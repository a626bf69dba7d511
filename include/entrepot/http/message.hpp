// A request as handlers see it and the reply they return. Values: no sockets, no parser types.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "entrepot/async/byte_source.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/http/headers.hpp"
#include "entrepot/http/target.hpp"

namespace entrepot::http {

struct Request {
  std::string id;      // ours, sixteen hexadecimal characters, unique in a run
  std::string method;  // as sent; only known methods pass the gate
  Target target;       // decoded once
  Headers headers;
  std::string remote;  // the peer's address without port
  bool remote_is_loopback = false;
  std::chrono::steady_clock::time_point received;

  bool is_head() const { return method == "HEAD"; }
};

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
