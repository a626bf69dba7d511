#include "http/session.hpp"

#include <algorithm>

#include "entrepot/base/log.hpp"
#include "http/request_id.hpp"

namespace entrepot::http {

namespace {

using std::chrono::steady_clock;

// After our last word the client gets this long, and so many bytes, to read it and close: closing
// with bytes unread would reset the connection and could take the answer away from it.
constexpr std::chrono::seconds farewell_limit{2};
constexpr std::size_t most_farewell_bytes = 16 * 1024 * 1024;
// The connection ended: nobody is left to be told.
constexpr int gone = 0;
// Of the access log only, as nginx writes it: the client left before it had an answer.
constexpr int client_closed_request = 499;

bool needs_no_body(const Request& request) {
  return request.method == "GET" || request.method == "HEAD" || request.method == "DELETE" ||
         request.method == "OPTIONS";
}

}  // namespace

struct Session::Exchange {
  Request request;
  Reply reply;
  BodyReader* body = nullptr;
  bool keep_alive = false;
  bool http10 = false;

  bool body_is_whole() const { return body->state() == BodyReader::State::whole; }
};

Session::Session(std::shared_ptr<Worker> worker, Wire::Socket socket, Peer peer,
                 const Entrance& entrance)
    : worker_(std::move(worker)),
      peer_(std::move(peer)),
      via_(entrance.via),
      conn_(std::move(socket), entrance.tls.get(), worker_->blocks, worker_->handshakes),
      vigil_(conn_, worker_->sentinel) {
  if (const auto& opened = worker_->service->callbacks.connection_opened) opened();
  ++worker_->service->connections;
}

Session::~Session() {
  if (const auto& closed = worker_->service->callbacks.connection_closed) closed();
  --worker_->service->connections;
  worker_->service->changed.notify_all();
}

void Session::start(const std::shared_ptr<Worker>& worker, Wire::Socket socket, Peer peer,
                    const Entrance& entrance) {
  auto session = std::make_shared<Session>(worker, std::move(socket), std::move(peer), entrance);
  const auto slot = session->vigil_.slot();
  // The task's end keeps the session too: its cancellation signal has to outlive the task.
  async::spawn_cancellable(worker->context.get_executor(), run(session), "http session", slot,
                           [session] {});
}

async::Task<> Session::run(std::shared_ptr<Session> session) {
  session->vigil_.await(Awaiting::request, session->limits().header);
  const auto unopened = co_await session->conn_.open();
  auto next = unopened.empty() ? Next::request : Next::close;
  if (!unopened.empty()) {
    base::log::debug("no TLS", {{"remote", session->peer_.text}, {"why", unopened}});
  }
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
  BodyReader body(conn_, vigil_, buffer_, worker_->body_blocks, limits());
  exchange.body = &body;
  exchange.request.body = &body;
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
  worker_->service->proxies.introduce(exchange.request, peer_);
  exchange.keep_alive = admission->keep_alive;
  body.open(*admission);
  if (!exchange.body_is_whole() && needs_no_body(exchange.request)) {
    auto rejection = co_await discard_unwanted(body);
    if (rejection) co_return co_await refuse(exchange, std::move(*rejection));
  }
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

async::Task<std::optional<Rejection>> Session::discard_unwanted(BodyReader& body) {
  using State = BodyReader::State;
  co_await body.discard_rest();
  const auto state = body.state();
  if (state == State::malformed) co_return Rejection{.detail = "malformed chunked body"};
  if (state == State::cut) co_return interrupted();
  if (state == State::whole || body.waits_for_permission()) co_return std::nullopt;
  co_return Rejection{
      .status = 413, .code = oci::ErrorCode::size_invalid, .detail = "this request needs no body"};
}

Session::Exchange Session::open_exchange() const {
  Exchange exchange;
  exchange.request.id = next_request_id();
  exchange.request.remote = peer_.text;
  exchange.request.via = via_;
  exchange.request.client_certificate = conn_.peer_name();
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
  if (exchange.body->state() == BodyReader::State::cut) {
    co_return co_await give_up(exchange, writer);
  }
  if (!exchange.body_is_whole()) co_await exchange.body->discard_rest();
  const bool keep = exchange.keep_alive && exchange.body_is_whole() && !draining();
  const auto keeping = exchange.http10 ? Persistence::stated_keep_alive  //
                                       : Persistence::implied_keep_alive;
  const bool complete = co_await transmit(exchange, writer, keep ? keeping : Persistence::close);
  if (!complete) co_return Next::close;
  if (keep) co_return Next::request;
  const bool may_be_sending = !exchange.body_is_whole() || draining() || !buffer_.empty();
  co_return may_be_sending ? Next::farewell : Next::close;
}

// The request's body ended before its end: who is only slow is told so, who left is not.
async::Task<Session::Next> Session::give_up(Exchange& exchange, BodyWriter& writer) {
  auto trace = std::move(exchange.reply.trace);
  const auto why = interrupted();
  if (why.status == gone) {
    exchange.reply.trace = std::move(trace);
    exchange.reply.status = client_closed_request;
    finish(exchange, 0, false);
    co_return Next::close;
  }
  exchange.reply = rejection_reply(why);
  exchange.reply.trace = std::move(trace);
  const bool complete = co_await transmit(exchange, writer, Persistence::close);
  co_return complete ? Next::farewell : Next::close;
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
    if (vigil_.client_left() || exchange.body->state() == BodyReader::State::cut) co_return;
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
  vigil_.begin_pace();
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
  if (complete && reply.after_sent) run_after(exchange);
  finish(exchange, sent - std::min<std::uint64_t>(sent, head.size()), complete);
  co_return complete;
}

void Session::run_after(const Exchange& exchange) {
  try {
    exchange.reply.after_sent();
  } catch (const std::exception& e) {
    base::log::error("what follows an answer failed",
                     {{"request", exchange.request.id}, {"error", e.what()}});
  }
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
    auto block = worker_->blocks.take();
    const auto size = conn_.try_read({block.get(), worker_->blocks.block_bytes()});
    block.reset();
    if (size == 0U) co_return;
    discarded += size.value_or(0);
    if (size) continue;
    const auto ec = co_await conn_.wait_readable();
    if (ec) co_return;
  }
}

}  // namespace entrepot::http
