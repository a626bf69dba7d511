// GET /metrics, in the Prometheus text format.
#include "api/call.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {

async::Task<http::Reply> answer_metrics(Call call) {
  const auto access = call.house.metrics_access;
  if (access == MetricsAccess::nobody) {
    throw oci::Refusal(oci::ErrorCode::not_found, "metrics are on the admin listener");
  }
  if (access == MetricsAccess::loopback_only && !call.request.remote_is_loopback) {
    throw oci::Refusal(oci::ErrorCode::denied, "metrics are for this machine only");
  }
  co_return http::text_reply(200, "text/plain; version=0.0.4; charset=utf-8",
                             call.house.metrics.render());
}

}  // namespace entrepot::api
