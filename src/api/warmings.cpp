// POST /api/v1/warmings: starts a job.
#include <boost/json/parse.hpp>

#include "api/actor.hpp"
#include "api/call.hpp"
#include "api/naming.hpp"
#include "api/operations.hpp"
#include "api/warming_work.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

namespace json = boost::json;

constexpr std::size_t most_body_bytes = std::size_t{4} << 20;
constexpr std::size_t most_references = 20'000;

[[noreturn]] void refuse_body() {
  throw oci::Refusal(
      oci::ErrorCode::bad_request,
      R"({"references": ["nginx", …], "platforms": ["linux/amd64"], "referrers": false} was expected)");
}

std::vector<std::string> texts_of(const json::object& body, std::string_view key) {
  const auto* const list = body.if_contains(json::string_view(key.data(), key.size()));
  std::vector<std::string> texts;
  if (list == nullptr) return texts;
  if (!list->is_array() || list->get_array().size() > most_references) refuse_body();
  for (const auto& one : list->get_array()) {
    if (!one.is_string()) refuse_body();
    texts.emplace_back(one.get_string().data(), one.get_string().size());
  }
  return texts;
}

WarmingOrder order_in(std::string_view text) {
  json::error_code error;
  const auto document = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !document.is_object()) refuse_body();
  const auto& body = document.get_object();
  const auto* const referrers = body.if_contains("referrers");
  if (referrers != nullptr && !referrers->is_bool()) refuse_body();
  WarmingOrder order{.references = texts_of(body, "references"),
                     .platforms = texts_of(body, "platforms"),
                     .referrers = referrers != nullptr && referrers->get_bool(),
                     .locate = {},
                     .knows = {}};
  if (order.references.empty()) refuse_body();
  return order;
}

async::Task<registry::Route> route_of(const Reading* reading, std::string host, std::string name) {
  auto place = co_await locate(*reading, {.upstream = host, .name = name});
  co_return std::move(place.route);
}

}  // namespace

async::Task<http::Reply> start_warming(Call call) {
  const auto text = co_await http::read_all(*call.request.body, most_body_bytes);
  if (!text) refuse_body();
  auto order = order_in(*text);
  const auto* const reading = &call.house.reading;
  order.locate = [reading](std::string host, std::string name) {
    return route_of(reading, std::move(host), std::move(name));
  };
  order.knows = [reading](std::string_view upstream) { return reading->directory.knows(upstream); };
  audit(call, {.action = "warm"});
  co_return co_await start_job(call, "warming", warming_work(std::move(order)));
}

}  // namespace entrepot::api
