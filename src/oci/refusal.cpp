#include "entrepot/oci/refusal.hpp"

#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "entrepot/base/utf8.hpp"

namespace entrepot::oci {

namespace {

namespace json = boost::json;

using enum ErrorCode;

constexpr std::array<ErrorRow, 26> table{{
    {blob_unknown, "BLOB_UNKNOWN", "blob unknown to registry", 404},
    {blob_upload_invalid, "BLOB_UPLOAD_INVALID", "blob upload invalid", 400},
    {blob_upload_unknown, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", 404},
    {digest_invalid, "DIGEST_INVALID", "provided digest is not valid for this content", 400},
    {manifest_blob_unknown, "MANIFEST_BLOB_UNKNOWN",
     "manifest references a manifest or blob unknown to registry", 404},
    {manifest_invalid, "MANIFEST_INVALID", "manifest invalid", 400},
    {manifest_unknown, "MANIFEST_UNKNOWN", "manifest unknown to registry", 404},
    {name_invalid, "NAME_INVALID", "invalid repository name", 400},
    {name_unknown, "NAME_UNKNOWN", "repository name not known to registry", 404},
    {size_invalid, "SIZE_INVALID", "provided length does not match content length", 400},
    {tag_invalid, "TAG_INVALID", "invalid tag", 400},
    {pagination_invalid, "PAGINATION_NUMBER_INVALID", "invalid number of results requested", 400},
    {range_invalid, "RANGE_INVALID", "invalid content range", 416},
    {unauthorized, "UNAUTHORIZED", "authentication required", 401},
    {denied, "DENIED", "requested access to the resource is denied", 403},
    {unsupported, "UNSUPPORTED", "the operation is unsupported", 405},
    {too_many_requests, "TOOMANYREQUESTS", "too many requests", 429},
    {manifest_too_large, "MANIFEST_INVALID", "manifest too large", 413},
    {request_too_large, "UNSUPPORTED", "the request is too large", 413},
    {storage_full, "UNAVAILABLE", "no room left for what was sent", 507},
    {unavailable, "UNAVAILABLE", "service unavailable", 503},
    {upstream_failed, "UNAVAILABLE", "the upstream registry failed", 502},
    {upstream_timeout, "UNAVAILABLE", "the upstream registry did not answer in time", 504},
    {bad_request, "UNSUPPORTED", "the request is malformed", 400},
    {not_found, "NAME_UNKNOWN", "no such endpoint", 404},
    {internal, "UNKNOWN", "unknown error", 500},
}};

// A row is found by its place.
constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i].code != static_cast<ErrorCode>(i)) return false;
  }
  return static_cast<std::size_t>(internal) + 1 == table.size();
}
static_assert(in_order());

json::object entry(ErrorCode code, std::string_view detail) {
  const auto& row = error_row(code);
  // A detail may quote what a client or an upstream sent, and JSON is UTF-8.
  return {{"code", json::string_view(row.word.data(), row.word.size())},
          {"message", json::string_view(row.message.data(), row.message.size())},
          {"detail", base::valid_utf8(detail)}};
}

std::string serialize_errors(json::array errors) {
  return json::serialize(json::object{{"errors", std::move(errors)}});
}

}  // namespace

const ErrorRow& error_row(ErrorCode code) { return table[static_cast<std::size_t>(code)]; }

std::string error_body(ErrorCode code, std::string_view detail) {
  return serialize_errors(json::array{entry(code, detail)});
}

std::string error_body(const Refusal& refusal) {
  json::array errors{entry(refusal.code, refusal.detail)};
  for (const auto& detail : refusal.more) errors.push_back(entry(refusal.code, detail));
  return serialize_errors(std::move(errors));
}

}  // namespace entrepot::oci
