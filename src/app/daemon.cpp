#include "app/daemon.hpp"

#include <algorithm>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "entrepot/api/router.hpp"
#include "entrepot/base/log.hpp"

namespace entrepot::app {
namespace {

namespace log = base::log;

constexpr std::chrono::seconds disk_interval{10};
// Taken from what the other server leaves, so that metrics can be had when that one is full.
constexpr std::size_t most_admin_connections = 16;
constexpr std::string_view admin_socket_name = "admin";

}  // namespace

Daemon::Daemon(const Config& config, Supervisor& supervisor)
    : config_(config),
      supervisor_(supervisor),
      lock_(config.data),
      house_(config),
      runtime_(config.threads),
      heartbeat_(runtime_, supervisor),
      signals_(runtime_.context(0), SIGTERM, SIGINT) {
  open_listeners();
}

Daemon::~Daemon() = default;

http::ServerCallbacks Daemon::callbacks_of(http::Handler handler) {
  http::ServerCallbacks callbacks;
  callbacks.handler = std::move(handler);
  callbacks.observer = api::make_observer(house_.metrics);
  callbacks.connection_opened = [this] {
    ++connections_;
    house_.metrics.connection_opened();
  };
  callbacks.connection_closed = [this] {
    house_.metrics.connection_closed();
    --connections_;
    connection_closed_.notify_all();
  };
  return callbacks;
}

void Daemon::open_listeners() {
  auto sockets = supervisor_.take_sockets();
  const bool admin = config_.admin_listen || std::ranges::any_of(sockets, [](const auto& socket) {
                       return socket.name == admin_socket_name;
                     });
  api::Collaborators collaborators{
      *house_.directory,
      house_.local,
      *house_.index,
      house_.metrics,
      [this] { return readiness_.reason(); },
      admin ? api::MetricsAccess::nobody : api::MetricsAccess::loopback_only};
  server_ =
      std::make_unique<http::Server>(runtime_, callbacks_of(api::make_handler(collaborators)));
  if (admin) {
    http::ServerCallbacks callbacks;
    callbacks.handler = api::make_admin_handler(collaborators);
    callbacks.observer = api::make_observer(house_.metrics);
    admin_ = std::make_unique<http::Server>(
        runtime_, std::move(callbacks), http::ServerLimits{.connections = most_admin_connections});
  }
  const bool activated = std::ranges::any_of(
      sockets, [](const auto& socket) { return socket.name != admin_socket_name; });
  if (!activated) {
    for (const auto& address : config_.listen) {
      log::info("listening", {{"address", bind(*server_, address)}});
    }
  }
  for (auto& socket : sockets) adopt(std::move(socket));
  if (config_.admin_listen) {
    log::info("serving admin", {{"address", bind(*admin_, *config_.admin_listen)}});
  }
}

std::string Daemon::bind(http::Server& server, const std::string& address) {
  try {
    return server.listen({.address = address, .tls = nullptr});
  } catch (const std::system_error& error) {
    throw CannotListen("cannot listen on " + address + ": " + error.code().message());
  }
}

void Daemon::adopt(Supervisor::Socket socket) {
  const bool admin = socket.name == admin_socket_name;
  try {
    const auto address = (admin ? admin_ : server_)->adopt(socket.fd.release());
    log::info(admin ? "serving admin" : "listening", {{"address", address}});
  } catch (const std::system_error& error) {
    throw CannotListen("cannot listen on an inherited socket: " + error.code().message());
  }
}

void Daemon::run() {
  async::spawn(runtime_.executor(0), begin(), "start");
  async::spawn(runtime_.executor(0), watch_signals(), "signals");
  async::spawn(runtime_.executor(0), watch_disk(), "disk watch");
  heartbeat_.start();
  runtime_.run();
}

async::Task<> Daemon::begin() {
  const auto totals =
      co_await house_.index->read([](const index::View& view) { return index::blob_totals(view); });
  house_.metrics.store_size(totals.bytes, totals.blobs);
  log::info("serving", {{"data", config_.data.string()},
                        {"threads", runtime_.size()},
                        {"upstream", config_.upstreams.front().name()},
                        {"upstreams", config_.upstreams.size()},
                        {"blobs", totals.blobs},
                        {"bytes", totals.bytes}});
  supervisor_.tell("READY=1\nSTATUS=serving");
}

async::Task<> Daemon::watch_signals() {
  co_await signals_.async_wait(boost::asio::use_awaitable);
  async::spawn(runtime_.executor(0), drain(), "drain");
  co_await signals_.async_wait(boost::asio::use_awaitable);
  log::warn("stopping at once");
  runtime_.stop();
}

async::Task<> Daemon::watch_disk() {
  for (;;) {
    co_await house_.pool.run([this] { readiness_.look_at_disk(*house_.store, config_.data); });
    co_await async::sleep_for(disk_interval);
  }
}

async::Task<> Daemon::drain() {
  readiness_.begin_draining();
  supervisor_.tell("STOPPING=1\nSTATUS=draining");
  log::info("draining", {{"connections", connections_.load()}});
  server_->stop_accepting();
  co_await server_->accepting_ended(config_.drain);
  co_await all_answers_finished();
  co_await house_.fills.stop();
  if (admin_) admin_->stop_accepting();
  log::info("stopped", {{"cut", connections_.load()}});
  runtime_.stop();
}

async::Task<> Daemon::all_answers_finished() {
  const auto end = std::chrono::steady_clock::now() + config_.drain;
  for (;;) {
    // The ticket first: a connection that closes after the count was read wakes us.
    const auto ticket = connection_closed_.ticket();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (connections_ == 0 || left <= left.zero()) co_return;
    co_await connection_closed_.wait(ticket, left);
  }
}

}  // namespace entrepot::app
