// The running daemon: sockets, threads, signals, and the two-step stop around a House.
//
// First SIGTERM or SIGINT: accept no more, answer /readyz 503, let running answers finish for at
// most `drain`, stop jobs and webhooks, keep what fills and uploads have on disk, leave. Second
// signal: leave at once; what is on disk stays consistent as after kill -9 (reliability.md O-01).
// SIGHUP: Reloader.
#pragma once

#include <atomic>
#include <boost/asio/signal_set.hpp>
#include <memory>

#include "app/doors.hpp"
#include "app/flags.hpp"
#include "app/heartbeat.hpp"
#include "app/house.hpp"
#include "app/readiness.hpp"
#include "app/reloader.hpp"
#include "app/supervisor.hpp"
#include "app/upkeep_timers.hpp"
#include "entrepot/async/broadcast.hpp"
#include "entrepot/async/runtime.hpp"
#include "entrepot/http/server.hpp"

namespace entrepot::app {

class Daemon {
 public:
  // Opens everything and binds. `flags` made `config`, and make the next one at a reload. Throws
  // store::DirectoryInUse, std::system_error and std::runtime_error for a data directory that
  // cannot be used, ConfigError, CannotListen.
  Daemon(const Config& config, const Flags& flags, Supervisor& supervisor);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Serves until a signal ended it; the calling thread is one of the serving ones.
  void run();

 private:
  http::ServerCallbacks callbacks_of(http::Handler handler);
  void make_servers();

  async::Task<> begin();
  async::Task<> watch_stop_signals();
  async::Task<> watch_reload_signal();
  async::Task<> watch_disk();
  async::Task<> reload();
  async::Task<> drain();
  void keep_promises();
  async::Task<> all_answers_finished(std::chrono::steady_clock::time_point end);

  const Config config_;
  Supervisor& supervisor_;
  store::DirectoryLock lock_;
  House house_;
  Readiness readiness_;
  Doors doors_;
  Reloader reloader_;
  UpkeepTimers timers_;
  std::atomic<std::size_t> connections_ = 0;
  async::Broadcast connection_closed_;
  // Destroyed before everything above: coroutines that are still suspended refer to it.
  async::Runtime runtime_;
  Heartbeat heartbeat_;
  boost::asio::signal_set stop_signals_;
  boost::asio::signal_set reload_signal_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Server> admin_;
};

}  // namespace entrepot::app
