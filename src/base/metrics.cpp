#include "entrepot/base/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <charconv>

#include "base/labelled.hpp"

namespace entrepot::base {

namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;

prometheus::Family<Counter>& counters(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Gauge& gauge(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Family<Gauge>& gauges(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

// From an answer out of memory to a layer over a slow line.
const Histogram::BucketBoundaries seconds_buckets{
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};

}  // namespace

struct Metrics::Families {
  Registry registry;

  Labelled<Counter, 3> requests{counters(registry, "entrepot_requests_total", "Requests answered."),
                                {"route", "outcome", "status"}};
  Labelled<Histogram, 1, Histogram::BucketBoundaries> request_seconds{
      prometheus::BuildHistogram()
          .Name("entrepot_request_seconds")
          .Help("From request head to last body byte.")
          .Register(registry),
      {"route"},
      seconds_buckets};
  prometheus::Family<Counter>& served = counters(registry, "entrepot_served_bytes_total",
                                                 "Body bytes sent, by where they came from.");
  Counter& from_cache = served.Add({{"from", "cache"}});
  Counter& from_upstream = served.Add({{"from", "upstream"}});
  Counter& saved = counters(registry, "entrepot_saved_bytes_total",
                            "Bytes that upstreams did not have to send again.")
                       .Add({});
  Labelled<Counter, 1> upstream_bytes{
      counters(registry, "entrepot_upstream_bytes_total", "Body bytes received."), {"upstream"}};
  Labelled<Counter, 2> upstream_requests{
      counters(registry, "entrepot_upstream_requests_total", "Requests to upstreams."),
      {"upstream", "kind"}};
  Labelled<Counter, 2> upstream_errors{
      counters(registry, "entrepot_upstream_errors_total", "Requests that upstreams failed."),
      {"upstream", "kind"}};
  Labelled<Counter, 1> mismatches{
      counters(registry, "entrepot_upstream_digest_mismatch_total",
               "Bodies that were not what their digest says; they were not kept."),
      {"upstream"}};
  Labelled<Counter, 1> rollbacks{counters(registry, "entrepot_tag_rollbacks_total",
                                          "Tags that went back to a digest seen earlier."),
                                 {"upstream"}};
  Labelled<Counter, 1> stale{
      counters(registry, "entrepot_stale_served_total", "Answers given without confirmation."),
      {"upstream"}};
  Labelled<Counter, 2> fills{counters(registry, "entrepot_fills_total", "Downloads ended."),
                             {"upstream", "outcome"}};
  Gauge& fills_running = gauge(registry, "entrepot_fills_running", "Downloads running.");
  Gauge& store_bytes = gauge(registry, "entrepot_store_bytes", "Bytes of blobs held.");
  Gauge& store_blobs = gauge(registry, "entrepot_store_blobs", "Blobs held.");
  Labelled<Counter, 1> collections{
      counters(registry, "entrepot_collections_total", "Rounds of the collector ended."),
      {"outcome"}};
  Gauge& collections_running =
      gauge(registry, "entrepot_collections_running", "Rounds of the collector running.");
  Gauge& collection_seconds =
      gauge(registry, "entrepot_collection_seconds", "How long the last round took.");
  Gauge& collection_ended_at = gauge(registry, "entrepot_collection_ended_seconds",
                                     "When the last round ended, in seconds since 1970.");
  Counter& collected_bytes =
      counters(registry, "entrepot_collected_bytes_total", "Bytes freed by the collector.").Add({});
  Gauge& connections = gauge(registry, "entrepot_connections", "Client connections open.");
  Gauge& uploads = gauge(registry, "entrepot_uploads", "Upload sessions open.");
  Labelled<Counter, 2> notifications{
      counters(registry, "entrepot_notifications_total", "Events told to receivers, by outcome."),
      {"receiver", "outcome"}};
  Labelled<Gauge, 1> notifications_waiting{
      prometheus::BuildGauge()
          .Name("entrepot_notifications_waiting")
          .Help("Events a receiver has not got yet, wanted or not.")
          .Register(registry),
      {"receiver"}};
  Counter& pull_events_dropped = counters(registry, "entrepot_pull_events_dropped_total",
                                          "Pulls that receivers were not told of.")
                                     .Add({});
  Labelled<Gauge, 1> lag_seconds{gauges(registry, "entrepot_replication_lag_seconds",
                                        "Age of the oldest change at the peer not applied here."),
                                 {"rule"}};
  Labelled<Gauge, 1> lag_bytes{
      gauges(registry, "entrepot_replication_lag_bytes", "Bytes known to be missing here."),
      {"rule"}};
  Labelled<Gauge, 1> clock_ahead{gauges(registry, "entrepot_replication_clock_ahead_seconds",
                                        "How far the peer's clock is ahead of ours."),
                                 {"rule"}};
  Labelled<Counter, 2> replication_items{
      counters(registry, "entrepot_replication_items_total", "Items replicated, by outcome."),
      {"rule", "outcome"}};
  Labelled<Counter, 1> replication_bytes{
      counters(registry, "entrepot_replication_bytes_total", "Bytes of blobs replication moved."),
      {"rule"}};
  Labelled<Gauge, 1> replication_waiting{
      gauges(registry, "entrepot_replication_waiting", "Items that failed and are tried again."),
      {"rule"}};
  Labelled<Gauge, 1> replication_success{
      gauges(registry, "entrepot_replication_last_success_timestamp",
             "When a rule last ended well, in seconds since 1970."),
      {"rule"}};
  prometheus::Family<Counter>& line =
      counters(registry, "entrepot_line_bytes_total",
               "Body bytes from and to other registries, by who they were for.");
  Counter& line_interactive = line.Add({{"priority", "interactive"}});
  Counter& line_replication = line.Add({{"priority", "replication"}});
  Counter& line_yields = counters(registry, "entrepot_line_yields_total",
                                  "Pieces of replication that waited for people.")
                             .Add({});
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {}
Metrics::~Metrics() = default;

void Metrics::request(std::string_view route, std::string_view outcome, int status,
                      double seconds) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), status).ptr;
  const std::string_view code(digits.data(), static_cast<std::size_t>(end - digits.data()));
  families_->requests.at({route, outcome, code}).Increment();
  families_->request_seconds.at({route}).Observe(seconds);
}

void Metrics::served_from_cache(std::uint64_t bytes) {
  families_->from_cache.Increment(static_cast<double>(bytes));
  families_->saved.Increment(static_cast<double>(bytes));
}

void Metrics::served_from_upstream(std::uint64_t bytes) {
  families_->from_upstream.Increment(static_cast<double>(bytes));
}

void Metrics::upstream_bytes(std::string_view upstream, std::uint64_t bytes) {
  families_->upstream_bytes.at({upstream}).Increment(static_cast<double>(bytes));
}

void Metrics::upstream_request(std::string_view upstream, std::string_view kind) {
  families_->upstream_requests.at({upstream, kind}).Increment();
}

void Metrics::upstream_error(std::string_view upstream, std::string_view kind) {
  families_->upstream_errors.at({upstream, kind}).Increment();
}

void Metrics::digest_mismatch(std::string_view upstream) {
  families_->mismatches.at({upstream}).Increment();
}

void Metrics::tag_rollback(std::string_view upstream) {
  families_->rollbacks.at({upstream}).Increment();
}

void Metrics::stale_served(std::string_view upstream) {
  families_->stale.at({upstream}).Increment();
}

void Metrics::fill_started() { families_->fills_running.Increment(); }

void Metrics::fill_ended(std::string_view upstream, std::string_view outcome) {
  families_->fills_running.Decrement();
  families_->fills.at({upstream, outcome}).Increment();
}

void Metrics::store_size(std::uint64_t bytes, std::uint64_t blobs) {
  families_->store_bytes.Set(static_cast<double>(bytes));
  families_->store_blobs.Set(static_cast<double>(blobs));
}

void Metrics::store_changed(std::int64_t bytes, std::int64_t blobs) {
  families_->store_bytes.Increment(static_cast<double>(bytes));
  families_->store_blobs.Increment(static_cast<double>(blobs));
}

void Metrics::collection_started() { families_->collections_running.Increment(); }

void Metrics::collection_ended(std::string_view outcome, double seconds, double now) {
  families_->collections_running.Decrement();
  families_->collections.at({outcome}).Increment();
  families_->collection_seconds.Set(seconds);
  families_->collection_ended_at.Set(now);
}

void Metrics::collected(std::uint64_t bytes) {
  families_->collected_bytes.Increment(static_cast<double>(bytes));
}

void Metrics::connection_opened() { families_->connections.Increment(); }
void Metrics::connection_closed() { families_->connections.Decrement(); }
void Metrics::upload_opened() { families_->uploads.Increment(); }
void Metrics::upload_ended() { families_->uploads.Decrement(); }

void Metrics::notification(std::string_view receiver, std::string_view outcome) {
  families_->notifications.at({receiver, outcome}).Increment();
}

void Metrics::notifications_waiting(std::string_view receiver, std::uint64_t count) {
  families_->notifications_waiting.at({receiver}).Set(static_cast<double>(count));
}

void Metrics::pull_events_dropped(std::uint64_t count) {
  families_->pull_events_dropped.Increment(static_cast<double>(count));
}

void Metrics::replication_lag(std::string_view rule, double seconds, std::uint64_t bytes) {
  families_->lag_seconds.at({rule}).Set(seconds);
  families_->lag_bytes.at({rule}).Set(static_cast<double>(bytes));
}

void Metrics::replication_clock_ahead(std::string_view rule, double seconds) {
  families_->clock_ahead.at({rule}).Set(seconds);
}

void Metrics::replication_item(std::string_view rule, std::string_view outcome) {
  families_->replication_items.at({rule, outcome}).Increment();
}

void Metrics::replication_bytes(std::string_view rule, std::uint64_t bytes) {
  families_->replication_bytes.at({rule}).Increment(static_cast<double>(bytes));
}

void Metrics::replication_waiting(std::string_view rule, std::uint64_t count) {
  families_->replication_waiting.at({rule}).Set(static_cast<double>(count));
}

void Metrics::replication_succeeded(std::string_view rule, double now) {
  families_->replication_success.at({rule}).Set(now);
}

void Metrics::line_interactive(std::uint64_t bytes) {
  families_->line_interactive.Increment(static_cast<double>(bytes));
}

void Metrics::line_replication(std::uint64_t bytes) {
  families_->line_replication.Increment(static_cast<double>(bytes));
}

void Metrics::line_yielded() { families_->line_yields.Increment(); }

std::string Metrics::render() const {
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace entrepot::base
