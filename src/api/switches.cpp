// GET and PUT /api/v1/read-only, POST /api/v1/reload.
#include <boost/json/parse.hpp>

#include "api/actor.hpp"
#include "api/call.hpp"
#include "api/json.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

namespace json = boost::json;

constexpr std::size_t most_body_bytes = 1024;

http::Reply read_only_reply(const Call& call) {
  json::object body;
  body["read_only"] = call.house.writing.policy.read_only();
  return fresh_json(200, body);
}

std::optional<bool> wanted_switch(std::string_view text) {
  json::error_code error;
  const auto body = json::parse(text, error);
  const auto* object = error ? nullptr : body.if_object();
  const auto* value = object == nullptr ? nullptr : object->if_contains("read_only");
  if (value == nullptr || !value->is_bool()) return std::nullopt;
  return value->get_bool();
}

}  // namespace

async::Task<http::Reply> answer_read_only(Call call) { co_return read_only_reply(call); }

async::Task<http::Reply> set_read_only(Call call) {
  const auto text = co_await http::read_all(*call.request.body, most_body_bytes);
  const auto wanted = text ? wanted_switch(*text) : std::nullopt;
  if (!wanted) {
    throw oci::Refusal(oci::ErrorCode::bad_request, R"({"read_only": true or false} was expected)");
  }
  audit(call, {.action = *wanted ? "set read-only" : "set writable"});
  call.house.writing.policy.set_read_only(*wanted);
  co_return read_only_reply(call);
}

async::Task<http::Reply> reload(Call call) {
  const auto& read_again = call.house.operations.reload;
  if (!read_again) throw oci::Refusal(oci::ErrorCode::unsupported, "nothing to read again");
  audit(call, {.action = "reload"});
  std::string trouble;
  try {
    co_await read_again();
  } catch (const std::runtime_error& error) {
    trouble = error.what();
  }
  if (!trouble.empty()) throw oci::Refusal(oci::ErrorCode::bad_request, trouble);
  co_return fresh_json(200, {});
}

}  // namespace entrepot::api
