#include "http/listener.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <exception>

#include "entrepot/base/log.hpp"
#include "entrepot/base/units.hpp"
#include "http/session.hpp"

namespace entrepot::http {

namespace {

namespace asio = async::asio;
using asio::ip::tcp;

constexpr int backlog = 4096;
// One look at the socket accepts at most so many: the thread's other connections wait meanwhile.
constexpr int most_at_once = 64;
constexpr std::chrono::milliseconds pause_after_error{100};
constexpr std::chrono::milliseconds pause_when_full{250};

[[noreturn]] void refuse_address(const std::string& address) {
  throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                          "not an address and port: " + address);
}

void set_option(int fd, int level, int name, int value = 1) {
  if (::setsockopt(fd, level, name, &value, sizeof value) != 0) base::throw_errno("setsockopt");
}

// Accepted sockets inherit these. Keepalive finds peers that vanished without a word while we wait
// for content on their behalf (reliability.md N-05).
void set_connection_options(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

enum class Sharing { exclusive, among_threads };

base::UniqueFd bind_to(const tcp::endpoint& endpoint, Sharing sharing) {
  base::UniqueFd fd(::socket(endpoint.protocol().family(),
                             SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  if (!fd) base::throw_errno("socket");
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (sharing == Sharing::among_threads) set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT);
  const auto text = to_text(endpoint);
  if (::bind(fd.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) {
    base::throw_errno("bind", text.c_str());
  }
  return fd;
}

tcp::endpoint bound_to(int fd) {
  tcp::endpoint endpoint;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  if (::getsockname(fd, endpoint.data(), &size) != 0) base::throw_errno("getsockname");
  endpoint.resize(size);
  return endpoint;
}

Peer describe(const tcp::endpoint& endpoint) {
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return {.address = address.to_string(), .is_loopback = address.is_loopback()};
}

// False when nobody waits. Throws when we are out of descriptors, of memory, or the like.
bool accept_one(const std::shared_ptr<Worker>& worker, int listener) {
  tcp::endpoint remote;
  auto size = static_cast<socklen_t>(remote.capacity());
  base::UniqueFd fd(::accept4(listener, remote.data(), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  // That one has gone again; others may wait behind it.
  if (!fd && (errno == ECONNABORTED || errno == EINTR)) return true;
  if (!fd) base::throw_errno("accept");
  remote.resize(size);
  tcp::socket socket(worker->context, remote.protocol(), fd.get());
  fd.release();
  Session::start(worker, std::move(socket), describe(remote));
  return true;
}

// Somebody waits at the door, and there is no room.
async::Task<> wait_for_room(std::shared_ptr<Worker> worker) {
  auto& service = *worker->service;
  const auto ticket = service.changed.ticket();
  if (!service.full() || service.draining) co_return;
  worker->sentinel.dismiss_longest_idle();
  // Not without end: a connection that becomes idle meanwhile tells nobody.
  co_await service.changed.wait(ticket, pause_when_full);
}

async::Task<> accept_round(std::shared_ptr<Worker> worker,
                           std::shared_ptr<tcp::acceptor> listener) {
  boost::system::error_code ec;
  co_await listener->async_wait(tcp::acceptor::wait_read,
                                asio::redirect_error(asio::use_awaitable, ec));
  const auto& service = *worker->service;
  if (service.full()) co_return co_await wait_for_room(worker);
  for (int i = 0; i < most_at_once && !service.full(); ++i) {
    if (!accept_one(worker, listener->native_handle())) co_return;
  }
}

// Whoever the kernel has already let in is served; the next one hears that nobody listens.
void accept_last(const std::shared_ptr<Worker>& worker, tcp::acceptor& listener) {
  try {
    for (int i = 0; i < backlog && accept_one(worker, listener.native_handle()); ++i) {
    }
  } catch (const std::exception& e) {
    base::log::warn("connections not accepted before the end", {{"error", e.what()}});
  }
  boost::system::error_code ignored;
  listener.close(ignored);
}

async::Task<> accept_loop(std::shared_ptr<Worker> worker, std::shared_ptr<tcp::acceptor> listener) {
  bool paused = false;
  while (!worker->service->draining) {
    try {
      // To try again at once would only burn the processor.
      if (paused) co_await async::sleep_for(pause_after_error);
      co_await accept_round(worker, listener);
      paused = false;
    } catch (const std::exception& e) {
      if (!paused) base::log::warn("accept paused", {{"error", e.what()}});
      paused = true;
    }
  }
  accept_last(worker, *listener);
  --worker->service->accept_loops;
  worker->service->changed.notify_all();
}

}  // namespace

tcp::endpoint parse_endpoint(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) refuse_address(address);
  auto host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto port = base::parse_unsigned(address.substr(colon + 1));
  boost::system::error_code ec;
  const auto ip = asio::ip::make_address(host, ec);
  if (ec || !port || *port > 65'535) refuse_address(address);
  return {ip, static_cast<std::uint16_t>(*port)};
}

std::string to_text(const tcp::endpoint& endpoint) {
  const auto host = endpoint.address().to_string();
  const auto port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + host + "]:" + port : host + ":" + port;
}

std::vector<base::UniqueFd> listen_on(tcp::endpoint endpoint, std::size_t count) {
  std::vector<base::UniqueFd> sockets;
  // SO_REUSEPORT would let us share the port with another process that listens there already; the
  // first bind goes without it and finds out.
  sockets.push_back(bind_to(endpoint, Sharing::exclusive));
  set_option(sockets.front().get(), SOL_SOCKET, SO_REUSEPORT);
  endpoint = bound_to(sockets.front().get());
  while (sockets.size() < count) sockets.push_back(bind_to(endpoint, Sharing::among_threads));
  for (const auto& socket : sockets) {
    if (::listen(socket.get(), backlog) != 0) base::throw_errno("listen");
  }
  return sockets;
}

std::string address_of(int listening_fd) { return to_text(bound_to(listening_fd)); }

void accept_on(const std::shared_ptr<Worker>& worker, base::UniqueFd socket) {
  const auto protocol = bound_to(socket.get()).protocol();
  set_connection_options(socket.get());
  auto listener = std::make_shared<tcp::acceptor>(worker->context, protocol, socket.get());
  socket.release();
  worker->listeners.push_back(listener);
  ++worker->service->accept_loops;
  async::spawn(worker->context.get_executor(), accept_loop(worker, listener), "accept");
}

}  // namespace entrepot::http
