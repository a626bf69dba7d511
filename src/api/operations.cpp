#include "api/operations.hpp"

#include "entrepot/base/units.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::api {
namespace {

[[noreturn]] void refuse(std::string_view key, std::string_view why) {
  throw oci::Refusal(oci::ErrorCode::bad_request, std::string(key) + ' ' + std::string(why));
}

}  // namespace

std::string required_parameter(const http::Request& request, std::string_view key) {
  const auto value = request.target.query_value(key);
  if (!value || value->empty()) refuse(key, "is missing");
  return std::string(*value);
}

std::uint64_t number_parameter(const http::Request& request, std::string_view key,
                               std::uint64_t otherwise) {
  const auto value = request.target.query_value(key);
  if (!value) return otherwise;
  const auto number = base::parse_unsigned(*value);
  if (!number) refuse(key, "is no number");
  return *number;
}

std::optional<bool> flag_parameter(const http::Request& request, std::string_view key) {
  const auto value = request.target.query_value(key);
  if (!value) return std::nullopt;
  if (*value == "true" || *value == "1" || value->empty()) return true;
  if (*value == "false" || *value == "0") return false;
  refuse(key, "is neither true nor false");
}

std::optional<std::chrono::milliseconds> duration_parameter(const http::Request& request,
                                                            std::string_view key) {
  const auto value = request.target.query_value(key);
  if (!value) return std::nullopt;
  const auto duration = base::parse_duration(*value);
  if (!duration) refuse(key, "is no duration such as 10s, 5m or 2h");
  return duration;
}

oci::Tag required_tag(const http::Request& request) {
  auto tag = oci::Tag::parse(request.target.query_value("tag").value_or(""));
  if (!tag) throw oci::Refusal(oci::ErrorCode::tag_invalid, "not a tag");
  return std::move(*tag);
}

}  // namespace entrepot::api
