#include "entrepot/oci/refusal.hpp"

#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "entrepot/base/utf8.hpp"

namespace entrepot::oci {

namespace {

using enum ErrorCode;

constexpr std::array<ErrorRow, 23> table{{
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

}  // namespace

const ErrorRow& error_row(ErrorCode code) { return table[static_cast<std::size_t>(code)]; }

std::string error_body(ErrorCode code, std::string_view detail) {
  namespace json = boost::json;
  const auto& row = error_row(code);
  // A detail may quote what a client or an upstream sent, and JSON is UTF-8.
  const json::object error{{"code", json::string_view(row.word.data(), row.word.size())},
                           {"message", json::string_view(row.message.data(), row.message.size())},
                           {"detail", base::valid_utf8(detail)}};
  return json::serialize(json::object{{"errors", json::array{error}}});
}

}  // namespace entrepot::oci
