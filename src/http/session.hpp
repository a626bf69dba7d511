// One client's connection from accept to close: reads request after request, asks the handler, and
// sends the answers in order (RFC 9112 section 9.3). The one place that turns exceptions of a
// handler into answers.
#pragma once

#include <memory>
#include <string>

#include "http/body_writer.hpp"
#include "http/conn.hpp"
#include "http/gate.hpp"
#include "http/read_buffer.hpp"
#include "http/response_head.hpp"
#include "http/vigil.hpp"
#include "http/worker.hpp"

namespace entrepot::http {

struct Peer {
  std::string address;  // without port
  bool is_loopback = false;
};

class Session {
 public:
  Session(std::shared_ptr<Worker> worker, async::asio::ip::tcp::socket socket, Peer peer);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Starts a session that lives as long as its connection.
  static void start(const std::shared_ptr<Worker>& worker, async::asio::ip::tcp::socket socket,
                    Peer peer);

 private:
  struct Exchange;
  // What became of a request body that nobody wants.
  enum class Discarded { whole, left_unread };
  enum class Next { request, close, farewell };

  static async::Task<> run(std::shared_ptr<Session> session);
  // `length` is that of the head in the buffer, or why there is none.
  async::Task<Next> serve_request(std::expected<std::size_t, Rejection> length);
  async::Task<std::expected<std::size_t, Rejection>> receive_head();
  async::Task<std::expected<Discarded, Rejection>> discard_body(const Request& request,
                                                                const Admission& admission);
  async::Task<std::expected<bool, Rejection>> drain_length(std::uint64_t length);
  async::Task<std::expected<bool, Rejection>> drain_chunks();
  async::Task<bool> receive();
  void skip_empty_lines();
  Rejection interrupted() const;

  Exchange open_exchange() const;
  async::Task<Next> refuse(Exchange& exchange, Rejection rejection);
  async::Task<Next> answer(Exchange& exchange);
  async::Task<> ask(Exchange& exchange, BodyWriter& writer);
  async::Task<bool> transmit(Exchange& exchange, BodyWriter& writer, Persistence persistence);
  void finish(const Exchange& exchange, std::uint64_t bytes, bool complete) const;
  async::Task<> say_farewell();

  const ServerLimits& limits() const { return worker_->service->limits; }
  bool draining() const { return worker_->service->draining.load(std::memory_order_relaxed); }

  const std::shared_ptr<Worker> worker_;
  const Peer peer_;
  Conn conn_;
  Vigil vigil_;
  ReadBuffer buffer_;
  bool served_before_ = false;
};

}  // namespace entrepot::http
