// One client's socket, TCP or Unix: waits, options and counters. What its bytes mean is a Channel's
// business.
//
// Reads and writes are tried at once and wait only when the kernel has or takes no more, so a small
// answer is one system call and no trip through the event loop. One reader and one writer at a
// time; not thread-safe.
#pragma once

#include <sys/uio.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <system_error>

#include "entrepot/async/task.hpp"

namespace entrepot::http {

class Wire {
 public:
  using Socket = async::asio::generic::stream_protocol::socket;

  // `socket` is non-blocking and, over TCP, has TCP_NODELAY.
  explicit Wire(Socket socket) : socket_(std::move(socket)) {}

  // Waits for at least one byte; 0 when the peer ended, the connection broke or cancel() was
  // called.
  async::Task<std::size_t> read_some(std::span<char> into);
  // What is there, without waiting: absent when that is nothing yet, 0 as for read_some().
  std::optional<std::size_t> try_read(std::span<char> into);
  // Returns when a read finds something, be it the end; an error when the wait was ended.
  async::Task<std::error_code> wait_readable();

  // Sends all of `pieces` (which it consumes), or says why the connection took no more.
  async::Task<std::error_code> write(std::span<iovec> pieces);
  // What the kernel takes of `bytes` without waiting; errors are left for the next write to find.
  std::size_t try_write(std::span<const char> bytes);
  // File bytes that never pass through our memory. Throws std::system_error when the file is at
  // fault: it cannot be read, or ends early.
  async::Task<std::error_code> send_file(int file, std::uint64_t offset, std::uint64_t length);

  // While held the kernel sends full segments only. Without release() the last one waits 200 ms.
  void hold() { set_held(1); }
  void release() { set_held(0); }

  // Ends what a read, a write or a wait waits for.
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
  std::uint64_t received() const { return received_; }

 private:
  async::Task<std::error_code> wait_writable();
  void set_held(int held);

  Socket socket_;
  int fd_ = socket_.native_handle();
  int held_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
};

}  // namespace entrepot::http
