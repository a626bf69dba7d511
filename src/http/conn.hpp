// One client's connection as bytes of requests and answers: the only class that knows what kind of
// socket they travel over, and whether by TLS. One reader and one writer at a time; not
// thread-safe.
#pragma once

#include <memory>

#include "entrepot/async/limiter.hpp"
#include "entrepot/http/server.hpp"
#include "http/block_pool.hpp"
#include "http/channel.hpp"
#include "http/wire.hpp"

namespace entrepot::http {

class Conn {
 public:
  // Plain without `keys`. `blocks` and `handshakes` are the thread's (TlsChannel).
  Conn(Wire::Socket socket, const TlsKeys* keys, BlockPool& blocks, async::Limiter& handshakes);

  // What has to happen before the first byte; why that came to nothing, or empty.
  async::Task<std::string> open() { return channel_->open(); }

  // Waits for at least one byte; 0 when the peer ended, the connection broke or cancel() was
  // called.
  async::Task<std::size_t> read_some(std::span<char> into) { return channel_->read_some(into); }
  // What is there, without waiting: absent when that is nothing yet, 0 as for read_some().
  std::optional<std::size_t> try_read(std::span<char> into) { return channel_->try_read(into); }
  // To be awaited after try_read() found nothing; an error when the wait was ended.
  async::Task<std::error_code> wait_readable() { return wire_.wait_readable(); }

  // Sends all of `pieces` (which it consumes), or says why the connection took no more.
  async::Task<std::error_code> write(std::span<iovec> pieces) { return channel_->write(pieces); }
  // Sends file bytes, by a plain connection without passing them through our memory. Throws
  // std::system_error when the file is at fault: it cannot be read, or ends early.
  async::Task<std::error_code> send_file(int file, std::uint64_t offset, std::uint64_t length) {
    return channel_->send_file(file, offset, length);
  }

  // Between hold() and release() the kernel sends full segments only. Without release() the last
  // one waits 200 ms.
  void hold() { wire_.hold(); }
  void release() { wire_.release(); }

  // Ends what a read, a write or a wait waits for.
  void cancel() { wire_.cancel(); }
  void end_writing();
  void close();
  // Closes so that the peer sees an error, not an end.
  void reset() { wire_.reset(); }

  // As Wire::peer_left().
  bool peer_left() const { return wire_.peer_left(); }
  // Bytes of answers taken off our hands so far.
  std::uint64_t sent() const { return channel_->sent(); }
  // Progress the peer makes, in bytes of whatever the wire carries.
  std::uint64_t handed_over() const { return wire_.sent(); }
  std::uint64_t acknowledged() const { return wire_.acknowledged(); }
  std::uint64_t received() const { return wire_.received(); }

  // The common name of the verified certificate the peer presented; empty when there is none.
  const std::string& peer_name() const { return channel_->peer_name(); }

 private:
  Wire wire_;
  std::unique_ptr<Channel> channel_;
};

}  // namespace entrepot::http
