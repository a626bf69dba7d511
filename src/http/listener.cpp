#include "http/listener.hpp"

#include <sys/socket.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <exception>

#include "entrepot/base/log.hpp"
#include "http/listening_socket.hpp"

namespace entrepot::http {

namespace {

namespace asio = async::asio;
using asio::ip::tcp;
// A listening socket: only waited on, accept4 does the rest.
using Acceptor = asio::posix::stream_descriptor;
using Endpoint = asio::generic::stream_protocol::endpoint;

// One look at the socket accepts at most so many: the thread's other connections wait meanwhile.
constexpr int most_at_once = 64;
constexpr std::chrono::milliseconds pause_after_error{100};
constexpr std::chrono::milliseconds pause_when_full{250};

std::optional<asio::ip::address> address_in(const Endpoint& endpoint) {
  if (endpoint.protocol().family() == AF_UNIX) return std::nullopt;
  tcp::endpoint narrowed;
  narrowed.resize(endpoint.size());
  std::memcpy(narrowed.data(), endpoint.data(), endpoint.size());
  return narrowed.address();
}

// False when nobody waits. Throws when we are out of descriptors, of memory, or the like.
bool accept_one(const std::shared_ptr<Worker>& worker, int listener, const Entrance& entrance) {
  Endpoint remote;
  auto size = static_cast<socklen_t>(remote.capacity());
  base::UniqueFd fd(::accept4(listener, remote.data(), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  // That one has gone again; others may wait behind it.
  if (!fd && (errno == ECONNABORTED || errno == EINTR)) return true;
  if (!fd) base::throw_errno("accept");
  remote.resize(size);
  Wire::Socket socket(worker->context);
  socket.assign(remote.protocol(), fd.get());
  fd.release();
  auto peer = worker->service->proxies.describe(address_in(remote));
  Session::start(worker, std::move(socket), std::move(peer), entrance);
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

async::Task<> accept_round(std::shared_ptr<Worker> worker, std::shared_ptr<Acceptor> listener,
                           std::shared_ptr<const Entrance> entrance) {
  boost::system::error_code ec;
  co_await listener->async_wait(Acceptor::wait_read, asio::redirect_error(asio::use_awaitable, ec));
  const auto& service = *worker->service;
  if (service.full()) co_return co_await wait_for_room(worker);
  for (int i = 0; i < most_at_once && !service.full(); ++i) {
    if (!accept_one(worker, listener->native_handle(), *entrance)) co_return;
  }
}

// Whoever the kernel has already let in is served; the next one hears that nobody listens.
void accept_last(const std::shared_ptr<Worker>& worker, Acceptor& listener,
                 const Entrance& entrance) {
  try {
    for (int i = 0; i < listen_backlog && accept_one(worker, listener.native_handle(), entrance);
         ++i) {
    }
  } catch (const std::exception& e) {
    base::log::warn("connections not accepted before the end", {{"error", e.what()}});
  }
  boost::system::error_code ignored;
  listener.close(ignored);
}

async::Task<> accept_loop(std::shared_ptr<Worker> worker, std::shared_ptr<Acceptor> listener,
                          std::shared_ptr<const Entrance> entrance) {
  bool paused = false;
  while (!worker->service->draining) {
    try {
      // To try again at once would only burn the processor.
      if (paused) co_await async::sleep_for(pause_after_error);
      co_await accept_round(worker, listener, entrance);
      paused = false;
    } catch (const std::exception& e) {
      if (!paused) base::log::warn("accept paused", {{"error", e.what()}});
      paused = true;
    }
  }
  accept_last(worker, *listener, *entrance);
  --worker->service->accept_loops;
  worker->service->changed.notify_all();
}

}  // namespace

void accept_on(const std::shared_ptr<Worker>& worker, base::UniqueFd socket, Entrance entrance) {
  auto listener = std::make_shared<Acceptor>(worker->context, socket.get());
  socket.release();
  worker->listeners.push_back(listener);
  ++worker->service->accept_loops;
  auto shared = std::make_shared<const Entrance>(std::move(entrance));
  async::spawn(worker->context.get_executor(), accept_loop(worker, listener, std::move(shared)),
               "accept");
}

}  // namespace entrepot::http
