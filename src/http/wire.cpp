#include "http/wire.hpp"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

namespace entrepot::http {

namespace {

namespace asio = async::asio;

// Between two slices other connections of the thread have their turn.
constexpr std::uint64_t slice_bytes = 1024 * 1024;

std::error_code last_error() { return {errno, std::system_category()}; }

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

// sendfile reports what is wrong with the file and with the socket by the same number.
bool is_socket_error(int error) {
  return error == EPIPE || error == ECONNRESET || error == ETIMEDOUT || error == ENOTCONN ||
         error == EHOSTUNREACH || error == ENETUNREACH || error == EBADF;
}

// Drops the first `bytes` bytes of `pieces`.
std::span<iovec> without(std::span<iovec> pieces, std::size_t bytes) {
  while (!pieces.empty() && bytes >= pieces.front().iov_len) {
    bytes -= pieces.front().iov_len;
    pieces = pieces.subspan(1);
  }
  if (!pieces.empty()) {
    auto& front = pieces.front();
    front.iov_base = static_cast<char*>(front.iov_base) + bytes;
    front.iov_len -= bytes;
  }
  return pieces;
}

}  // namespace

async::Task<std::size_t> Wire::read_some(std::span<char> into) {
  boost::system::error_code ec;
  const auto size = co_await socket_.async_read_some(asio::buffer(into.data(), into.size()),
                                                     asio::redirect_error(asio::use_awaitable, ec));
  if (ec) co_return 0;
  received_ += size;
  co_return size;
}

std::optional<std::size_t> Wire::try_read(std::span<char> into) {
  for (;;) {
    const auto size = ::recv(fd_, into.data(), into.size(), MSG_DONTWAIT);
    if (size >= 0) {
      received_ += static_cast<std::uint64_t>(size);
      return static_cast<std::size_t>(size);
    }
    if (would_block()) return std::nullopt;
    if (errno != EINTR) return 0;
  }
}

async::Task<std::error_code> Wire::wait_readable() {
  boost::system::error_code ec;
  co_await socket_.async_wait(Socket::wait_read, asio::redirect_error(asio::use_awaitable, ec));
  co_return ec;
}

async::Task<std::error_code> Wire::wait_writable() {
  boost::system::error_code ec;
  co_await socket_.async_wait(Socket::wait_write, asio::redirect_error(asio::use_awaitable, ec));
  co_return ec;
}

std::size_t Wire::try_write(std::span<const char> bytes) {
  const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent <= 0) return 0;
  sent_ += static_cast<std::uint64_t>(sent);
  return static_cast<std::size_t>(sent);
}

async::Task<std::error_code> Wire::write(std::span<iovec> pieces) {
  pieces = without(pieces, 0);
  while (!pieces.empty()) {
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    const auto sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      sent_ += static_cast<std::uint64_t>(sent);
      pieces = without(pieces, static_cast<std::size_t>(sent));
    } else if (would_block()) {
      if (const auto ec = co_await wait_writable()) co_return ec;
    } else if (errno != EINTR) {
      co_return last_error();
    }
  }
  co_return std::error_code{};
}

async::Task<std::error_code> Wire::send_file(int file, std::uint64_t offset, std::uint64_t length) {
  auto at = static_cast<off_t>(offset);
  std::uint64_t in_turn = 0;
  while (length > 0) {
    const auto sent = ::sendfile(fd_, file, &at, std::min(length, slice_bytes));
    if (sent > 0) {
      const auto bytes = static_cast<std::uint64_t>(sent);
      sent_ += bytes;
      length -= bytes;
      in_turn += bytes;
      if (in_turn < slice_bytes || length == 0) continue;
      in_turn = 0;
      co_await asio::post(asio::use_awaitable);
    } else if (sent == 0) {
      throw std::system_error(std::make_error_code(std::errc::io_error), "file ends early");
    } else if (would_block()) {
      in_turn = 0;
      if (const auto ec = co_await wait_writable()) co_return ec;
    } else if (is_socket_error(errno)) {
      co_return last_error();
    } else if (errno != EINTR) {
      throw std::system_error(last_error(), "sendfile");
    }
  }
  co_return std::error_code{};
}

void Wire::set_held(int held) {
  if (held == held_) return;
  held_ = held;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_CORK, &held, sizeof held);
}

void Wire::cancel() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Wire::end_writing() { ::shutdown(fd_, SHUT_WR); }

void Wire::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  fd_ = -1;
}

void Wire::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

bool Wire::peer_left() const {
  pollfd state{.fd = fd_, .events = POLLRDHUP, .revents = 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

std::uint64_t Wire::acknowledged() const {
  int queued = 0;
  if (::ioctl(fd_, SIOCOUTQ, &queued) != 0) return sent_;
  return sent_ - static_cast<std::uint64_t>(queued);
}

}  // namespace entrepot::http
