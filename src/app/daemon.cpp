#include "app/daemon.hpp"

#include <algorithm>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "app/lease_book.hpp"
#include "app/reception.hpp"
#include "entrepot/base/log.hpp"

namespace entrepot::app {
namespace {

namespace log = base::log;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds disk_interval{10};
// Jobs stop between two small steps; a webhook's receiver is not waited for longer.
constexpr std::chrono::seconds job_patience{5};
// Taken from what the other server leaves, so that metrics can be had when that one is full.
constexpr std::size_t most_admin_connections = 16;

milliseconds left_until(steady_clock::time_point end) {
  return std::max(milliseconds::zero(),
                  std::chrono::duration_cast<milliseconds>(end - steady_clock::now()));
}

}  // namespace

Daemon::Daemon(const Config& config, const Flags& flags, Supervisor& supervisor)
    : config_(config),
      supervisor_(supervisor),
      lock_(config.data),
      house_(config),
      reloader_(house_, doors_, config, flags),
      timers_(house_, doors_),
      runtime_(config.threads),
      heartbeat_(runtime_, supervisor),
      stop_signals_(runtime_.context(0), SIGTERM, SIGINT),
      reload_signal_(runtime_.context(0), SIGHUP) {
  // From now on more is promised than the file knows.
  forget_promises(config_.data);
  make_servers();
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

void Daemon::make_servers() {
  auto sockets = supervisor_.take_sockets();
  const bool admin = config_.admin_listen || std::ranges::any_of(sockets, is_admin);
  Surroundings surroundings;
  surroundings.unready = [this] { return readiness_.reason(); };
  surroundings.reload = [this] { return reload(); };
  surroundings.metrics_access =
      admin ? api::MetricsAccess::nobody : api::MetricsAccess::loopback_only;
  surroundings.external_url = config_.external_url.value_or("");
  const auto collaborating = collaborators(house_, std::move(surroundings));
  server_ = std::make_unique<http::Server>(runtime_, callbacks_of(api::make_handler(collaborating)),
                                           http::ServerLimits{}, config_.trusted_proxies);
  if (admin) {
    http::ServerCallbacks callbacks;
    callbacks.handler = api::make_admin_handler(collaborating);
    callbacks.observer = api::make_observer(house_.metrics);
    admin_ = std::make_unique<http::Server>(
        runtime_, std::move(callbacks), http::ServerLimits{.connections = most_admin_connections});
  }
  doors_.open(config_, std::move(sockets), *server_, admin_.get());
}

void Daemon::run() {
  const auto executor = runtime_.executor(0);
  async::spawn(executor, begin(), "start");
  async::spawn(executor, watch_stop_signals(), "signals");
  async::spawn(executor, watch_reload_signal(), "reload signal");
  async::spawn(executor, watch_disk(), "disk watch");
  timers_.start(executor);
  house_.notifier.start(executor);
  // Away from the thread of signals and schedules, where there is another.
  house_.replicator.start(runtime_.executor(runtime_.size() - 1));
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
                        {"bytes", totals.bytes},
                        {"uploads", house_.uploads.open_sessions()}});
  supervisor_.tell("READY=1\nSTATUS=serving");
}

async::Task<> Daemon::watch_stop_signals() {
  co_await stop_signals_.async_wait(boost::asio::use_awaitable);
  async::spawn(runtime_.executor(0), drain(), "drain");
  co_await stop_signals_.async_wait(boost::asio::use_awaitable);
  log::warn("stopping at once");
  runtime_.stop();
}

async::Task<> Daemon::watch_reload_signal() {
  for (;;) {
    co_await reload_signal_.async_wait(boost::asio::use_awaitable);
    try {
      co_await reload();
    } catch (const std::exception& error) {
      // The operator was told by reload(); a signal has nobody else to hear it.
      log::debug("reload by signal failed", {{"reason", error.what()}});
    }
  }
}

async::Task<> Daemon::reload() {
  try {
    co_await house_.pool.run([this] { reloader_.reload(); });
  } catch (const std::exception& error) {
    log::error("configuration not read again: the old one stays", {{"reason", error.what()}});
    throw std::runtime_error(error.what());
  }
}

async::Task<> Daemon::watch_disk() {
  for (;;) {
    co_await house_.pool.run([this] { readiness_.look_at_disk(*house_.store, config_.data); });
    co_await async::sleep_for(disk_interval);
  }
}

async::Task<> Daemon::drain() {
  const auto end = steady_clock::now() + config_.drain;
  readiness_.begin_draining();
  house_.feed->stop();
  supervisor_.tell("STOPPING=1\nSTATUS=draining");
  log::info("draining", {{"connections", connections_.load()}});
  server_->stop_accepting();
  co_await house_.replicator.stop();
  co_await server_->accepting_ended(config_.drain);
  // Before the answers: somebody may wait for a job's end.
  timers_.stop();
  co_await house_.jobs.stop_all(std::min<milliseconds>(job_patience, left_until(end)));
  co_await all_answers_finished(end);
  co_await house_.notifier.stop();
  co_await house_.fills.stop();
  keep_promises();
  if (admin_) admin_->stop_accepting();
  log::info("stopped", {{"cut", connections_.load()}});
  runtime_.stop();
}

void Daemon::keep_promises() {
  try {
    write_promises(config_.data, house_.leases.outstanding());
  } catch (const std::system_error& error) {
    log::warn("leases not kept: the next start waits one lease time before it collects",
              {{"error", error.what()}});
  }
}

async::Task<> Daemon::all_answers_finished(steady_clock::time_point end) {
  for (;;) {
    // The ticket first: a connection that closes after the count was read wakes us.
    const auto ticket = connection_closed_.ticket();
    const auto left = left_until(end);
    if (connections_ == 0 || left == left.zero()) co_return;
    co_await connection_closed_.wait(ticket, left);
  }
}

}  // namespace entrepot::app
