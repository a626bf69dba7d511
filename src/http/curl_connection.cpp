// What an exchange asks of the connection it goes over. curl says which that is only by the way.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/steady_timer.hpp>
#include <optional>

#include "http/curl_transfer.hpp"

namespace entrepot::http {
namespace {

// Of what a restrained exchange sends, before it is on its way.
constexpr int most_unsent_restrained = 32 * 1024;

// The C library's structure ends before what Linux tells since 4.9.
struct LongInfo {
  tcp_info known{};
  std::uint64_t pacing[2]{};
  std::uint64_t bytes[2]{};
  std::uint32_t segments[2]{};
  std::uint32_t unsent = 0;
  std::uint32_t least_round_trip = 0;  // in microseconds
};

// The shortest lately, which queues on the way do not count into; absent for what is not TCP.
std::optional<std::chrono::microseconds> round_trip(int fd) {
  LongInfo info;
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || size < sizeof info)
    return std::nullopt;
  return std::chrono::microseconds(info.least_round_trip);
}

template <class Value>
void set(int fd, int level, int option, const Value& value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

void CurlTransfer::goes_over(curl_socket_t fd) {
  if (fd_ == fd) return;
  fd_ = fd;
  bound_buffers();
}

void CurlTransfer::lost(curl_socket_t fd) {
  if (fd_ == fd) fd_ = CURL_SOCKET_BAD;
}

// What a server sends before it notices that we do not read lies in the kernel, and so does what we
// send: past every limit and in people's way.
void CurlTransfer::bound_buffers() {
  if (!passage_.restrained() || !connected_ || fd_ == CURL_SOCKET_BAD) return;
  const auto rtt = round_trip(fd_);
  if (!rtt) return;
  if (upload_) set(fd_, IPPROTO_TCP, TCP_NOTSENT_LOWAT, most_unsent_restrained);
  const auto bytes = passage_.receive_buffer(*rtt);
  if (bytes) set(fd_, SOL_SOCKET, SO_RCVBUF, *bytes);
}

// An upload that is given up while the server still waits for it: what the kernel holds of it must
// not reach the server minutes later, beside its resumption.
void CurlTransfer::cut_off() {
  const bool unanswered = head_.state() == CurlHead::State::reading && !done_;
  if (upload_ && unanswered && connected_ && fd_ != CURL_SOCKET_BAD)
    set(fd_, SOL_SOCKET, SO_LINGER, linger{.l_onoff = 1, .l_linger = 0});
}

}  // namespace entrepot::http
