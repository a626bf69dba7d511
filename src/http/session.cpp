#include "http/session.hpp"

#include <algorithm>

#include "entrepot/base/log.hpp"
#include "http/chunk_decoder.hpp"
#include "http/request_id.hpp"

namespace entrepot::http {

namespace {

using std::chrono::steady_clock;

// reliability.md H-12: so much of an unwanted body is read to keep the connection usable.
constexpr std::uint64_t most_unwanted_body = 64 * 1024;
// After our last word the client gets this long, and so many bytes, to read it and close: closing
// with bytes unread would reset the connection and could take the answer away from it.
constexpr std::chrono::seconds farewell_limit{2};
constexpr std::size_t most_farewell_bytes = 1024 * 1024;
// The connection ended: nobody is left to be told.
constexpr int gone = 0;
// Of the access log only, as nginx writes it: the client left before it had an answer.
constexpr int client_closed_request = 499;

bool never_has_body(const Request& request) {
  return request.method == "GET" || request.method == "HEAD" || request.method == "DELETE" ||
         request.method == "OPTIONS";
}

}  // namespace

struct Session::Exchange {
  Request request;
  Reply reply;
  bool keep_alive = false;
  bool http10 = false;
  bool body_unread = false;
};

Session::Session(std::shared_ptr<Worker> worker, async::asio::ip::tcp::socket socket, Peer peer)
    : worker_(std::move(worker)),
      peer_(std::move(peer)),
      conn_(std::move(socket)),
      vigil_(conn_, worker_->sentinel) {
  if (const auto& opened = worker_->service->callbacks.connection_opened) opened();
  ++worker_->service->connections;
}

Session::~Session() {
  if (const auto& closed = worker_->service->callbacks.connection_closed) closed();
  --worker_->service->connections;
  worker_->service->changed.notify_all();
}

void Session::start(const std::shared_ptr<Worker>& worker, async::asio::ip::tcp::socket socket,
                    Peer peer) {
  auto session = std::make_shared<Session>(worker, std::move(socket), std::move(peer));
  const auto slot = session->vigil_.slot();
  // The task's end keeps the session too: its cancellation signal has to outlive the task.
  async::spawn_cancellable(worker->context.get_executor(), run(session), "http session", slot,
                           [session] {});
}

async::Task<> Session::run(std::shared_ptr<Session> session) {
  session->vigil_.await(Awaiting::request, session->limits().header);
  auto next = Next::request;
  while (next == Next::request) {
    // Not inside serve_request(): an idle connection should not hold what a request needs.
    const auto length = co_await session->receive_head();
    next = co_await session->serve_request(length);
    session->served_before_ = true;
    session->buffer_.shrink();
  }
  if (next == Next::farewell) co_await session->say_farewell();
  session->conn_.close();
}

async::Task<Session::Next> Session::serve_request(std::expected<std::size_t, Rejection> length) {
  auto exchange = open_exchange();
  if (!length) co_return co_await refuse(exchange, length.error());
  auto head = parse_head(buffer_.data().substr(0, *length));
  buffer_.consume(*length);
  if (!head) co_return co_await refuse(exchange, head.error());
  exchange.request.method = head->method;
  exchange.http10 = head->minor_version == 0;
  auto admission = admit(*head);
  exchange.request.headers = std::move(head->headers);
  if (!admission) co_return co_await refuse(exchange, admission.error());
  exchange.request.target = std::move(admission->target);
  exchange.keep_alive = admission->keep_alive;
  const auto discarded = co_await discard_body(exchange.request, *admission);
  if (!discarded) co_return co_await refuse(exchange, discarded.error());
  exchange.body_unread = *discarded == Discarded::left_unread;
  co_return co_await answer(exchange);
}

async::Task<bool> Session::receive() {
  const auto size = co_await conn_.read_some(buffer_.room());
  buffer_.commit(size);
  co_return size > 0;
}

Rejection Session::interrupted() const {
  if (!vigil_.expired()) return {.status = gone};
  return {.status = 408, .detail = "the request took too long to arrive"};
}

// RFC 9112 section 2.2: some clients end a body with one line end too many.
void Session::skip_empty_lines() {
  while (buffer_.data().starts_with("\r\n")) buffer_.consume(2);
}

async::Task<std::expected<std::size_t, Rejection>> Session::receive_head() {
  HeadScanner scanner;
  // run() has set the limit of the first request.
  auto awaiting = served_before_ ? Awaiting::nothing : Awaiting::request;
  for (;;) {
    if (!scanner.started()) skip_empty_lines();
    if (!buffer_.empty() && buffer_.data() != "\r") {
      const auto found = scanner.scan(buffer_.data());
      if (!found) co_return std::unexpected(found.error());
      if (*found) co_return **found;
    }
    const auto wanted = buffer_.empty() ? Awaiting::next_request : Awaiting::request;
    if (wanted == Awaiting::next_request && served_before_ && draining()) {
      co_return std::unexpected(Rejection{.status = gone});
    }
    if (awaiting != Awaiting::request && awaiting != wanted) {
      awaiting = wanted;
      vigil_.await(wanted, wanted == Awaiting::request ? limits().header : limits().idle);
    }
    const bool received = co_await receive();
    if (received) continue;
    if (buffer_.empty()) co_return std::unexpected(Rejection{.status = gone});
    co_return std::unexpected(interrupted());
  }
}

async::Task<std::expected<Session::Discarded, Rejection>> Session::discard_body(
    const Request& request, const Admission& admission) {
  if (admission.framing == Framing::none) co_return Discarded::whole;
  // Who asks before sending gets our answer instead of the permission.
  if (admission.expects_continue) co_return Discarded::left_unread;
  vigil_.await(Awaiting::request, limits().header);
  const auto drained = admission.framing == Framing::length
                           ? co_await drain_length(admission.content_length)
                           : co_await drain_chunks();
  if (!drained) co_return std::unexpected(drained.error());
  if (*drained) co_return Discarded::whole;
  if (!never_has_body(request)) co_return Discarded::left_unread;
  co_return std::unexpected(Rejection{
      .status = 413, .code = oci::ErrorCode::size_invalid, .detail = "this request needs no body"});
}

// True when the whole body was read, false when it is too large for that.
async::Task<std::expected<bool, Rejection>> Session::drain_length(std::uint64_t length) {
  if (length > most_unwanted_body) co_return false;
  for (;;) {
    const auto here = std::min<std::uint64_t>(length, buffer_.data().size());
    buffer_.consume(here);
    length -= here;
    if (length == 0) co_return true;
    const bool received = co_await receive();
    if (!received) co_return std::unexpected(interrupted());
  }
}

async::Task<std::expected<bool, Rejection>> Session::drain_chunks() {
  ChunkDecoder decoder;
  std::uint64_t size = 0;
  for (;;) {
    while (!buffer_.empty() && !decoder.done()) {
      const auto step = decoder.decode(buffer_.data());
      if (!step) co_return std::unexpected(step.error());
      buffer_.consume(step->consumed);
      size += step->data.size();
      if (size > most_unwanted_body) co_return false;
    }
    if (decoder.done()) co_return true;
    const bool received = co_await receive();
    if (!received) co_return std::unexpected(interrupted());
  }
}

Session::Exchange Session::open_exchange() const {
  Exchange exchange;
  exchange.request.id = next_request_id();
  exchange.request.remote = peer_.address;
  exchange.request.remote_is_loopback = peer_.is_loopback;
  exchange.request.received = steady_clock::now();
  return exchange;
}

async::Task<Session::Next> Session::refuse(Exchange& exchange, Rejection rejection) {
  if (rejection.status == gone) co_return Next::close;
  exchange.reply = rejection_reply(rejection);
  BodyWriter writer(conn_, vigil_, limits().stall);
  const bool complete = co_await transmit(exchange, writer, Persistence::close);
  co_return complete ? Next::farewell : Next::close;
}

async::Task<Session::Next> Session::answer(Exchange& exchange) {
  BodyWriter writer(conn_, vigil_, limits().stall);
  vigil_.await(Awaiting::content);
  co_await ask(exchange, writer);
  if (vigil_.client_left()) {
    exchange.reply.status = client_closed_request;
    finish(exchange, 0, false);
    co_return Next::close;
  }
  const bool keep = exchange.keep_alive && !exchange.body_unread && !draining();
  const auto keeping = exchange.http10 ? Persistence::stated_keep_alive  //
                                       : Persistence::implied_keep_alive;
  const bool complete = co_await transmit(exchange, writer, keep ? keeping : Persistence::close);
  if (!complete) co_return Next::close;
  if (keep) co_return Next::request;
  const bool may_be_sending = exchange.body_unread || draining() || !buffer_.empty();
  co_return may_be_sending ? Next::farewell : Next::close;
}

async::Task<> Session::ask(Exchange& exchange, BodyWriter& writer) {
  const auto& request = exchange.request;
  auto& reply = exchange.reply;
  const auto replace = [&reply](Reply by) {
    by.trace = std::move(reply.trace);
    reply = std::move(by);
  };
  try {
    reply = co_await worker_->service->callbacks.handler(request);
    if (!request.is_head() && may_have_body(reply.status)) co_await writer.prime(reply);
  } catch (const oci::Refusal& refusal) {
    replace(refusal_reply(refusal));
  } catch (const std::exception& e) {
    if (vigil_.client_left()) co_return;
    base::log::error("request failed", {{"request", request.id}, {"error", e.what()}});
    replace(refusal_reply(oci::Refusal(oci::ErrorCode::internal, "request " + request.id)));
  }
}

// True when every byte went out; if not, the connection is closed so that the client notices.
async::Task<bool> Session::transmit(Exchange& exchange, BodyWriter& writer,
                                    Persistence persistence) {
  const auto& reply = exchange.reply;
  const auto head = render_head(reply, exchange.request.id, persistence);
  const bool with_body = !exchange.request.is_head() && may_have_body(reply.status);
  const auto before = conn_.sent();
  bool complete = false;
  try {
    const Reply bodiless;
    const auto ec = co_await writer.send(head, with_body ? reply : bodiless);
    complete = !ec;
  } catch (const std::exception& e) {
    if (!vigil_.client_left()) {
      base::log::warn("answer cut off", {{"request", exchange.request.id}, {"error", e.what()}});
    }
  }
  const auto sent = conn_.sent() - before;
  vigil_.await(Awaiting::nothing);
  if (!complete) conn_.reset();
  finish(exchange, sent - std::min<std::uint64_t>(sent, head.size()), complete);
  co_return complete;
}

void Session::finish(const Exchange& exchange, std::uint64_t bytes, bool complete) const {
  const auto& observer = worker_->service->callbacks.observer;
  if (!observer) return;
  const auto duration = steady_clock::now() - exchange.request.received;
  observer({.request = exchange.request,
            .trace = exchange.reply.trace,
            .status = exchange.reply.status,
            .bytes_sent = bytes,
            .complete = complete,
            .duration = std::chrono::duration_cast<std::chrono::milliseconds>(duration)});
}

async::Task<> Session::say_farewell() {
  conn_.end_writing();
  vigil_.await(Awaiting::farewell, farewell_limit);
  std::size_t discarded = 0;
  while (discarded < most_farewell_bytes) {
    buffer_.consume(buffer_.data().size());
    const auto size = co_await conn_.read_some(buffer_.room());
    if (size == 0) co_return;
    discarded += size;
  }
}

}  // namespace entrepot::http
