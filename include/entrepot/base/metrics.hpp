// Counters, gauges and histograms of the whole process, in the Prometheus text format.
//
// Every family is declared here once, so that the list of metrics is one page and no label can
// explode: label values are route names, outcomes and configured upstream names, never client
// input. All calls are thread-safe; counting on the hot path is one hash look-up and one relaxed
// add.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace entrepot::base {

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // entrepot_requests_total{route,outcome,status}, entrepot_request_seconds{route}
  void request(std::string_view route, std::string_view outcome, int status, double seconds);
  // entrepot_served_bytes_total{from}; what came from the cache also counts as
  // entrepot_saved_bytes_total, the bytes upstream did not have to send again.
  void served_from_cache(std::uint64_t bytes);
  void served_from_upstream(std::uint64_t bytes);
  // entrepot_upstream_bytes_total{upstream}
  void upstream_bytes(std::string_view upstream, std::uint64_t bytes);
  // entrepot_upstream_requests_total{upstream,kind}
  void upstream_request(std::string_view upstream, std::string_view kind);
  // entrepot_upstream_errors_total{upstream,kind}
  void upstream_error(std::string_view upstream, std::string_view kind);
  // entrepot_upstream_digest_mismatch_total{upstream}
  void digest_mismatch(std::string_view upstream);
  // entrepot_tag_rollbacks_total{upstream}
  void tag_rollback(std::string_view upstream);
  // entrepot_stale_served_total{upstream}
  void stale_served(std::string_view upstream);
  // entrepot_fills_total{upstream,outcome}, entrepot_fills_running
  void fill_started();
  void fill_ended(std::string_view upstream, std::string_view outcome);
  // entrepot_store_bytes, entrepot_store_blobs
  void store_size(std::uint64_t bytes, std::uint64_t blobs);
  void store_changed(std::int64_t bytes, std::int64_t blobs);
  // entrepot_collections_total{outcome}, entrepot_collections_running,
  // entrepot_collection_seconds and entrepot_collection_ended_seconds (since 1970) of the last one
  void collection_started();
  void collection_ended(std::string_view outcome, double seconds, double now);
  // entrepot_collected_bytes_total
  void collected(std::uint64_t bytes);
  // entrepot_connections
  void connection_opened();
  void connection_closed();
  // entrepot_uploads: sessions open, those that rest included
  void upload_opened();
  void upload_ended();
  // entrepot_notifications_total{receiver,outcome}: delivered, failed (one try), expired
  void notification(std::string_view receiver, std::string_view outcome);
  // entrepot_notifications_waiting{receiver}
  void notifications_waiting(std::string_view receiver, std::uint64_t count);
  // entrepot_pull_events_dropped_total
  void pull_events_dropped(std::uint64_t count);
  // entrepot_replication_lag_seconds{rule}, entrepot_replication_lag_bytes{rule}: of rules that
  // follow, the age of the oldest change not applied, and what is known to be missing
  void replication_lag(std::string_view rule, double seconds, std::uint64_t bytes);
  // entrepot_replication_clock_ahead_seconds{rule}: of rules that follow, how far the peer's clock
  // is ahead of ours; negative: behind
  void replication_clock_ahead(std::string_view rule, double seconds);
  // entrepot_replication_items_total{rule,outcome}: copied, removed, failed, conflict
  void replication_item(std::string_view rule, std::string_view outcome);
  // entrepot_replication_bytes_total{rule}
  void replication_bytes(std::string_view rule, std::uint64_t bytes);
  // entrepot_replication_waiting{rule}: items that failed and are tried again
  void replication_waiting(std::string_view rule, std::uint64_t count);
  // entrepot_replication_last_success_timestamp{rule}, seconds since 1970
  void replication_succeeded(std::string_view rule, double now);
  // entrepot_line_bytes_total{priority}: of bodies from and to other registries, on the line they
  // share; entrepot_line_yields_total: pieces of replication that waited for people
  void line_interactive(std::uint64_t bytes);
  void line_replication(std::uint64_t bytes);
  void line_yielded();

  // The text exposition of everything above.
  std::string render() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace entrepot::base
