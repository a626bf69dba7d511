// What is told of every request once its last byte is out: one line of the access log, and counts.
#include <array>

#include "entrepot/api/router.hpp"
#include "entrepot/base/log.hpp"

namespace entrepot::api {
namespace {

namespace log = base::log;

void log_access(const http::Finished& done) {
  // Probes come every few seconds and say nothing.
  const bool probe = done.trace.route == "healthz" || done.trace.route == "readyz" ||
                     done.trace.route == "metrics";
  const auto level = probe ? log::Level::debug : log::Level::info;
  if (!log::enabled(level)) return;
  const std::array fields{
      log::Field{"id", done.request.id},
      log::Field{"remote", done.request.remote},
      log::Field{"user", done.trace.user},
      log::Field{"method", done.request.method},
      log::Field{"route", done.trace.route},
      log::Field{"name", done.trace.repository},
      log::Field{"reference", done.trace.reference},
      log::Field{"status", done.status},
      log::Field{"bytes", done.bytes_sent},
      log::Field{"ms", done.duration.count()},
      log::Field{"cache", done.trace.cache},
      log::Field{"upstream", done.trace.upstream},
      log::Field{"upstream_ms", done.trace.upstream_time.count()},
      log::Field{"agent", done.request.headers.get("User-Agent").value_or("")},
      log::Field{"cut", "yes"},
  };
  // The last field only for bodies that did not get out whole.
  log::write(level, "request", std::span(fields).first(fields.size() - (done.complete ? 1 : 0)));
}

void count(base::Metrics& metrics, const http::Finished& done) {
  const auto outcome = done.trace.cache == "-" ? std::string_view("none") : done.trace.cache;
  metrics.request(done.trace.route, outcome, done.status,
                  std::chrono::duration<double>(done.duration).count());
  if (done.bytes_sent == 0 || outcome == "none") return;
  // Whoever joined a running download cost upstream nothing.
  if (outcome == "miss") {
    metrics.served_from_upstream(done.bytes_sent);
  } else {
    metrics.served_from_cache(done.bytes_sent);
  }
}

}  // namespace

http::Observer make_observer(base::Metrics& metrics) {
  return [&metrics](const http::Finished& done) {
    log_access(done);
    count(metrics, done);
  };
}

}  // namespace entrepot::api
