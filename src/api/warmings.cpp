// POST /api/v1/warmings: starts a job.
#include "api/actor.hpp"
#include "api/call.hpp"
#include "api/naming.hpp"
#include "api/operations.hpp"
#include "api/warming_work.hpp"
#include "api/wish.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

constexpr std::string_view example =
    R"({"references": ["nginx", …], "platforms": ["linux/amd64"], "referrers": false})";

async::Task<registry::Route> route_of(const Reading* reading, std::string host, std::string name) {
  auto place = co_await locate(*reading, {.upstream = host, .name = name});
  co_return std::move(place.route);
}

}  // namespace

async::Task<http::Reply> start_warming(Call call) {
  const auto wish =
      co_await read_wish(*call.request.body, example, {"references", "platforms", "referrers"});
  WarmingOrder order{.references = wish.texts("references"),
                     .platforms = wish.texts("platforms"),
                     .referrers = wish.flag("referrers"),
                     .locate = {},
                     .knows = {}};
  if (order.references.empty()) {
    throw oci::Refusal(oci::ErrorCode::bad_request, std::string(example) + " was expected");
  }
  const auto* const reading = &call.house.reading;
  order.locate = [reading](std::string host, std::string name) {
    return route_of(reading, std::move(host), std::move(name));
  };
  order.knows = [reading](std::string_view upstream) { return reading->directory.knows(upstream); };
  audit(call, {.action = "warm"});
  co_return co_await start_job(call, "warming", warming_work(std::move(order)));
}

}  // namespace entrepot::api
