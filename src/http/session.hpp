// One client's connection from accept to close: reads request after request, asks the handler, and
// sends the answers in order (RFC 9112 section 9.3). The one place that turns exceptions of a
// handler into answers.
#pragma once

#include <memory>
#include <string>

#include "http/body_reader.hpp"
#include "http/body_writer.hpp"
#include "http/conn.hpp"
#include "http/gate.hpp"
#include "http/read_buffer.hpp"
#include "http/response_head.hpp"
#include "http/vigil.hpp"
#include "http/worker.hpp"

namespace entrepot::http {

// What all connections of one listener have in common.
struct Entrance {
  Via via = Via::plain;
  std::shared_ptr<TlsKeys> tls;  // null: plain
};

class Session {
 public:
  Session(std::shared_ptr<Worker> worker, Wire::Socket socket, Peer peer, const Entrance& entrance);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Starts a session that lives as long as its connection.
  static void start(const std::shared_ptr<Worker>& worker, Wire::Socket socket, Peer peer,
                    const Entrance& entrance);

 private:
  struct Exchange;
  enum class Next { request, close, farewell };

  static async::Task<> run(std::shared_ptr<Session> session);
  // `length` is that of the head in the buffer, or why there is none.
  async::Task<Next> serve_request(std::expected<std::size_t, Rejection> length);
  async::Task<std::expected<std::size_t, Rejection>> receive_head();
  // Why a request that needs no body cannot be served with the one it has; absent when it can.
  async::Task<std::optional<Rejection>> discard_unwanted(BodyReader& body);
  async::Task<bool> receive();
  void skip_empty_lines();
  Rejection interrupted() const;

  Exchange open_exchange() const;
  async::Task<Next> refuse(Exchange& exchange, Rejection rejection);
  async::Task<Next> answer(Exchange& exchange);
  async::Task<Next> give_up(Exchange& exchange, BodyWriter& writer);
  async::Task<> ask(Exchange& exchange, BodyWriter& writer);
  async::Task<bool> transmit(Exchange& exchange, BodyWriter& writer, Persistence persistence);
  static void run_after(const Exchange& exchange);
  void finish(const Exchange& exchange, std::uint64_t bytes, bool complete) const;
  async::Task<> say_farewell();

  const ServerLimits& limits() const { return worker_->service->limits; }
  bool draining() const { return worker_->service->draining.load(std::memory_order_relaxed); }

  const std::shared_ptr<Worker> worker_;
  const Peer peer_;
  const Via via_;
  Conn conn_;
  Vigil vigil_;
  ReadBuffer buffer_;
  bool served_before_ = false;
};

}  // namespace entrepot::http
