// GET /api/v1/jobs, GET and DELETE /api/v1/jobs/<id>.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "api/actor.hpp"
#include "api/call.hpp"
#include "api/json.hpp"
#include "api/operations.hpp"
#include "api/replies.hpp"
#include "entrepot/base/units.hpp"

namespace entrepot::api {
namespace {

namespace json = boost::json;

// Below what clients and proxies take for a dead connection.
constexpr std::uint64_t longest_wait = 50;

// JSON that a job wrote.
json::value parsed(const std::string& text) {
  json::error_code error;
  auto value = json::parse(text, error);
  if (error) return json::value(json::string(text));
  return value;
}

json::object describe(const upkeep::JobStatus& job) {
  json::object entry;
  entry["id"] = job.id;
  entry["kind"] = job.kind;
  entry["state"] = upkeep::to_string(job.state);
  entry["started"] = timestamp(job.started);
  if (job.ended) entry["ended"] = timestamp(*job.ended);
  entry["done"] = job.done;
  entry["total"] = job.total;
  entry["unit"] = job.unit;
  if (!job.summary.empty()) entry["summary"] = parsed(job.summary);
  if (!job.error.empty()) entry["error"] = job.error;
  entry["next_line"] = job.next_line;
  return entry;
}

[[noreturn]] void refuse_unknown() { throw oci::Refusal(oci::ErrorCode::not_found, "no such job"); }

std::uint64_t required_id(std::string_view text) {
  const auto id = base::parse_unsigned(text);
  if (!id) refuse_unknown();
  return *id;
}

}  // namespace

async::Task<http::Reply> answer_jobs(Call call) {
  json::array list;
  for (const auto& job : call.house.operations.jobs.list()) list.push_back(describe(job));
  json::object body;
  body["jobs"] = std::move(list);
  co_return fresh_json(200, body);
}

async::Task<http::Reply> answer_job(Call call) {
  const auto id = required_id(call.argument);
  const auto wait = std::min(number_parameter(call.request, "wait", 0), longest_wait);
  const auto line = number_parameter(call.request, "line", 0);
  const auto job = co_await call.house.operations.jobs.status(id, line, std::chrono::seconds(wait));
  if (!job) refuse_unknown();
  auto body = describe(*job);
  json::array lines;
  for (const auto& text : job->lines) lines.push_back(parsed(text));
  body["lines"] = std::move(lines);
  co_return fresh_json(200, body);
}

async::Task<http::Reply> stop_job(Call call) {
  const auto id = required_id(call.argument);
  audit(call, {.action = "stop job"});
  const bool running = call.house.operations.jobs.stop(id);
  if (!running) refuse_unknown();
  co_return empty_reply(202);
}

}  // namespace entrepot::api
