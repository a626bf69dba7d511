#include "entrepot/base/metrics.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace entrepot::base::metrics_test {
namespace {

void expect_line(const Metrics& metrics, std::string_view line) {
  const auto text = metrics.render();
  EXPECT_NE(("\n" + text).find("\n" + std::string(line) + "\n"), std::string::npos)
      << line << " is not in\n"
      << text;
}

TEST(Metrics, every_event_shows_under_its_name) {
  Metrics metrics;
  metrics.request("manifest", "hit", 200, 0.003);
  metrics.request("manifest", "hit", 200, 0.003);
  metrics.request("manifest", "miss", 404, 40);
  metrics.served_from_cache(1000);
  metrics.served_from_upstream(10);
  metrics.upstream_bytes("hub", 12);
  metrics.upstream_request("hub", "manifest");
  metrics.upstream_error("hub", "timeout");
  metrics.digest_mismatch("hub");
  metrics.tag_rollback("hub");
  metrics.stale_served("hub");
  metrics.fill_started();
  metrics.fill_started();
  metrics.fill_ended("hub", "complete");
  metrics.store_size(5000, 3);
  metrics.store_changed(500, 1);
  metrics.connection_opened();
  metrics.connection_opened();
  metrics.connection_closed();

  for (const auto* line : {
           R"(entrepot_requests_total{outcome="hit",route="manifest",status="200"} 2)",
           R"(entrepot_requests_total{outcome="miss",route="manifest",status="404"} 1)",
           R"(entrepot_request_seconds_count{route="manifest"} 3)",
           R"(entrepot_request_seconds_bucket{route="manifest",le="0.005"} 2)",
           R"(entrepot_served_bytes_total{from="cache"} 1000)",
           R"(entrepot_served_bytes_total{from="upstream"} 10)",
           R"(entrepot_saved_bytes_total 1000)",
           R"(entrepot_upstream_bytes_total{upstream="hub"} 12)",
           R"(entrepot_upstream_requests_total{kind="manifest",upstream="hub"} 1)",
           R"(entrepot_upstream_errors_total{kind="timeout",upstream="hub"} 1)",
           R"(entrepot_upstream_digest_mismatch_total{upstream="hub"} 1)",
           R"(entrepot_tag_rollbacks_total{upstream="hub"} 1)",
           R"(entrepot_stale_served_total{upstream="hub"} 1)",
           R"(entrepot_fills_total{outcome="complete",upstream="hub"} 1)",
           R"(entrepot_fills_running 1)",
           R"(entrepot_store_bytes 5500)",
           R"(entrepot_store_blobs 4)",
           R"(entrepot_connections 1)",
       }) {
    expect_line(metrics, line);
  }
}

TEST(Metrics, threads_that_meet_new_labels_at_once_lose_no_count) {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&metrics] {
      for (int n = 0; n < 2000; ++n) metrics.request("blob", "hit", 200 + n % 100, 0.001);
    });
  }
  for (auto& thread : threads) thread.join();
  expect_line(metrics, R"(entrepot_requests_total{outcome="hit",route="blob",status="242"} 80)");
  expect_line(metrics, R"(entrepot_request_seconds_count{route="blob"} 8000)");
}

TEST(Metrics, labels_beyond_the_quick_table_still_count) {
  Metrics metrics;
  for (int round = 0; round < 2; ++round) {
    for (int n = 0; n < 1000; ++n) metrics.upstream_bytes("upstream" + std::to_string(n), 1);
  }
  expect_line(metrics, R"(entrepot_upstream_bytes_total{upstream="upstream0"} 2)");
  expect_line(metrics, R"(entrepot_upstream_bytes_total{upstream="upstream999"} 2)");
}

}  // namespace
}  // namespace entrepot::base::metrics_test
