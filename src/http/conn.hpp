// One client's connection as bytes: the only class that knows what kind of socket it is. Plain TCP.
//
// Writes are tried at once and wait only when the kernel takes no more, so a small answer is one
// system call and no trip through the event loop. One reader and one writer at a time; not
// thread-safe.
#pragma once

#include <sys/uio.h>

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <span>
#include <system_error>

#include "entrepot/async/task.hpp"

namespace entrepot::http {

class Conn {
 public:
  // `socket` is non-blocking and has TCP_NODELAY.
  explicit Conn(async::asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}

  // Waits for at least one byte; 0 when the peer ended, the connection broke or cancel() was
  // called.
  async::Task<std::size_t> read_some(std::span<char> into);

  // Sends all of `pieces` (which it consumes), or says why the connection took no more.
  async::Task<std::error_code> write(std::span<iovec> pieces);

  // Sends file bytes without passing them through our memory. Throws std::system_error when the
  // file is at fault: it cannot be read, or ends early.
  async::Task<std::error_code> send_file(int file, std::uint64_t offset, std::uint64_t length);

  // Between hold() and release() the kernel sends full segments only. Without release() the last
  // one waits 200 ms.
  void hold();
  void release();

  // Ends what read_some(), write() or send_file() wait for.
  void cancel();
  void end_writing();
  void close();
  // Closes so that the peer sees an error, not an end.
  void reset();

  // True once the peer has closed its side, even behind bytes we have not read. (One that only
  // ended its writing cannot be told from one that left; clients of registries do not do that.)
  bool peer_left() const;
  // Bytes handed to the kernel so far, and how many of them the peer has acknowledged.
  std::uint64_t sent() const { return sent_; }
  std::uint64_t acknowledged() const;

 private:
  async::Task<std::error_code> wait_writable();
  void set_held(int held);

  async::asio::ip::tcp::socket socket_;
  int fd_ = socket_.native_handle();
  int held_ = 0;
  std::uint64_t sent_ = 0;
};

}  // namespace entrepot::http
