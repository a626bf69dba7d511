// GET /api/v1/replication, replication/waiting and peers; POST /api/v1/syncs.
#include <algorithm>
#include <boost/json/array.hpp>

#include "api/actor.hpp"
#include "api/call.hpp"
#include "api/json.hpp"
#include "api/operations.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

namespace json = boost::json;

using replication::RuleStatus;

replication::Replicator& replicator(const Call& call) {
  auto* const found = call.house.operations.replication.replicator;
  if (found == nullptr) refuse_missing();
  return *found;
}

json::object describe(const registry::CopyTally& tally) {
  json::object entry;
  entry["manifests"] = tally.manifests;
  entry["manifests_held"] = tally.manifests_held;
  entry["blobs_moved"] = tally.blobs_moved;
  entry["blobs_mounted"] = tally.blobs_mounted;
  entry["blobs_held"] = tally.blobs_held;
  entry["bytes"] = tally.bytes;
  return entry;
}

double seconds(std::chrono::milliseconds time) { return static_cast<double>(time.count()) / 1000; }

json::object describe(const RuleStatus& rule) {
  json::object entry;
  entry["rule"] = rule.rule;
  entry["from"] = rule.from;
  entry["to"] = rule.to;
  entry["state"] = rule.state;
  if (rule.last_started) entry["last_started"] = timestamp(*rule.last_started);
  if (rule.last_ended) entry["last_ended"] = timestamp(*rule.last_ended);
  if (!rule.last_error.empty()) entry["last_error"] = rule.last_error;
  if (rule.newest > 0 || rule.position > 0) {
    entry["position"] = rule.position;
    entry["newest"] = rule.newest;
  }
  if (rule.lag) entry["lag_seconds"] = seconds(*rule.lag);
  if (rule.clock_ahead) entry["clock_ahead_seconds"] = seconds(*rule.clock_ahead);
  entry["waiting"] = rule.waiting;
  entry["waiting_bytes"] = rule.waiting_bytes;
  entry["repaired"] = rule.repaired;
  entry["total"] = describe(rule.total);
  return entry;
}

json::object describe(const replication::WaitingItem& item) {
  return {{"rule", item.rule},   {"repository", item.repository},
          {"tries", item.tries}, {"reference", item.reference},
          {"error", item.error}, {"next_try", timestamp(item.next_try)}};
}

// How far the rules that come from a peer are.
json::array rules_from(const std::string& peer, const std::vector<RuleStatus>& rules) {
  json::array list;
  for (const auto& rule : rules) {
    if (rule.from != peer && rule.to != peer) continue;
    json::object entry{{"rule", rule.rule}, {"state", rule.state}, {"waiting", rule.waiting}};
    if (rule.newest > 0 || rule.position > 0) entry["position"] = rule.position;
    if (rule.lag) entry["lag_seconds"] = seconds(*rule.lag);
    list.push_back(std::move(entry));
  }
  return list;
}

json::object describe(const PeerCard& peer) {
  json::object entry;
  entry["name"] = peer.name;
  entry["kind"] = peer.kind;
  json::array urls;
  for (const auto& url : peer.urls) urls.emplace_back(url);
  entry["urls"] = std::move(urls);
  entry["reachable"] = peer.error.empty();
  if (!peer.error.empty()) entry["error"] = peer.error;
  if (!peer.site.empty()) entry["site"] = peer.site;
  if (peer.newest) entry["newest"] = *peer.newest;
  if (peer.allowed) entry["manifests_allowed"] = *peer.allowed;
  return entry;
}

async::Task<RuleStatus> require_rule(replication::Replicator& replicator, std::string rule) {
  const auto all = co_await replicator.status();
  const auto found = std::ranges::find(all, rule, &RuleStatus::rule);
  if (found == all.end()) {
    throw oci::Refusal(oci::ErrorCode::not_found, "there is no rule called " + rule);
  }
  co_return *found;
}

}  // namespace

async::Task<http::Reply> answer_replication(Call call) {
  json::array rules;
  for (const auto& rule : co_await replicator(call).status()) rules.push_back(describe(rule));
  json::object body;
  body["rules"] = std::move(rules);
  co_return fresh_json(200, body);
}

async::Task<http::Reply> answer_waiting(Call call) {
  auto rule = required_parameter(call.request, "rule");
  co_await require_rule(replicator(call), rule);
  json::array items;
  for (const auto& item : co_await replicator(call).waiting(std::move(rule))) {
    items.push_back(describe(item));
  }
  json::object body;
  body["waiting"] = std::move(items);
  co_return fresh_json(200, body);
}

async::Task<http::Reply> answer_peers(Call call) {
  const auto& ask = call.house.operations.replication.peers;
  if (!ask) refuse_missing();
  const auto peers = co_await ask();
  const auto rules = co_await replicator(call).status();
  json::array list;
  for (const auto& peer : peers) {
    auto entry = describe(peer);
    entry["rules"] = rules_from(peer.name, rules);
    list.push_back(std::move(entry));
  }
  json::object body;
  body["peers"] = std::move(list);
  co_return fresh_json(200, body);
}

async::Task<http::Reply> start_sync(Call call) {
  auto rule = required_parameter(call.request, "rule");
  const auto standing = co_await require_rule(replicator(call), rule);
  if (standing.to == replication::in_bundles) {
    throw oci::Refusal(oci::ErrorCode::bad_request, "rule " + rule + " is for bundles");
  }
  const bool dry = flag_parameter(call.request, "dry_run").value_or(false);
  if (!dry) audit(call, {.action = "sync", .rule = rule});
  auto work =
      sync_work(replicator(call), rule, dry ? replication::Trial::dry : replication::Trial::real);
  // Rules run side by side, one run of each.
  co_return co_await start_job(call, "sync " + rule, std::move(work));
}

}  // namespace entrepot::api
