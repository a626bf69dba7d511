#include "entrepot/http/server.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>

#include "http/listener.hpp"
#include "http/listening_socket.hpp"
#include "http/worker.hpp"

namespace entrepot::http {

struct Server::State {
  std::shared_ptr<Service> service;
  std::vector<std::shared_ptr<Worker>> workers;
  std::vector<std::unique_ptr<UnixSocket>> unix_sockets;

  // One socket for all threads.
  void share(base::UniqueFd listening, const Entrance& entrance) const;
};

namespace {

// Stored blobs, upstreams, the index and the log need descriptors, too.
std::size_t allowed_connections() {
  constexpr rlim_t least = 16;
  constexpr rlim_t least_reserve = 64;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) base::throw_errno("getrlimit");
  const auto reserve = std::max(least_reserve, files.rlim_cur / 8);
  return files.rlim_cur > reserve + least ? files.rlim_cur - reserve : least;
}

ServerLimits completed(ServerLimits limits) {
  if (limits.connections == 0) limits.connections = allowed_connections();
  return limits;
}

constexpr mode_t service_mode = 0660;
constexpr mode_t control_mode = 0600;

Entrance entrance_of(const Listener& listener) {
  if (listener.purpose == Listener::Purpose::control) {
    return {.via = Via::control_socket, .tls = listener.tls};
  }
  return {.via = listener.tls ? Via::tls : Via::plain, .tls = listener.tls};
}

}  // namespace

void Server::State::share(base::UniqueFd listening, const Entrance& entrance) const {
  set_connection_options(listening.get());
  for (const auto& worker : workers) {
    base::UniqueFd shared(::fcntl(listening.get(), F_DUPFD_CLOEXEC, 0));
    if (!shared) base::throw_errno("dup");
    accept_on(worker, std::move(shared), entrance);
  }
}

Server::Server(async::Runtime& runtime, ServerCallbacks callbacks, ServerLimits limits,
               const TrustedProxies& proxies)
    : state_(std::make_shared<State>()) {
  // sendfile has no MSG_NOSIGNAL: a client that left must not end the process.
  std::signal(SIGPIPE, SIG_IGN);
  state_->service = std::make_shared<Service>(std::move(callbacks), completed(limits), proxies);
  for (std::size_t i = 0; i < runtime.size(); ++i) {
    state_->workers.push_back(std::make_shared<Worker>(runtime.context(i), state_->service));
  }
}

Server::~Server() = default;

std::string Server::listen(const Listener& listener) {
  const auto entrance = entrance_of(listener);
  if (auto path = unix_path(listener.address)) {
    const bool control = listener.purpose == Listener::Purpose::control;
    auto socket =
        std::make_unique<UnixSocket>(std::move(*path), control ? control_mode : service_mode);
    state_->share(socket->take_fd(), entrance);
    state_->unix_sockets.push_back(std::move(socket));
    return listener.address;
  }
  auto sockets = listen_on(parse_endpoint(listener.address), state_->workers.size());
  auto bound = address_of(sockets.front().get());
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    set_connection_options(sockets[i].get());
    accept_on(state_->workers[i], std::move(sockets[i]), entrance);
  }
  return bound;
}

std::string Server::adopt(int listening_fd, std::shared_ptr<TlsKeys> tls) {
  base::UniqueFd owned(listening_fd);
  const int flags = ::fcntl(listening_fd, F_GETFL);
  if (flags < 0 || ::fcntl(listening_fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    base::throw_errno("fcntl");
  }
  auto address = address_of(listening_fd);
  state_->share(std::move(owned), entrance_of({.address = address, .tls = std::move(tls)}));
  return address;
}

void Server::stop_accepting() {
  state_->service->draining = true;
  state_->service->changed.notify_all();
  for (const auto& socket : state_->unix_sockets) socket->remove_name();
  for (const auto& worker : state_->workers) {
    async::asio::post(worker->context, [worker] { worker->drain(); });
  }
}

async::Task<> Server::accepting_ended(std::chrono::milliseconds longest) {
  const auto service = state_->service;
  const auto end = std::chrono::steady_clock::now() + longest;
  for (;;) {
    const auto ticket = service->changed.ticket();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (service->accept_loops == 0 || left <= left.zero()) co_return;
    co_await service->changed.wait(ticket, left);
  }
}

std::size_t Server::connections() const { return state_->service->connections; }

}  // namespace entrepot::http
