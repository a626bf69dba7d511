// The specification's error table (distribution-spec "Error Codes") and the exception that carries
// a row of it to the one place that renders it, http::Session.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot::oci {

enum class ErrorCode {
  blob_unknown,
  blob_upload_invalid,
  blob_upload_unknown,
  digest_invalid,
  manifest_blob_unknown,
  manifest_invalid,
  manifest_unknown,
  name_invalid,
  name_unknown,
  size_invalid,
  tag_invalid,
  pagination_invalid,
  range_invalid,
  unauthorized,
  denied,
  unsupported,
  too_many_requests,
  manifest_too_large,  // 413, wire word MANIFEST_INVALID
  request_too_large,   // 413, wire word UNSUPPORTED
  storage_full,        // 507, wire word UNAVAILABLE: no room for what was sent
  unavailable,         // 503: we cannot just now
  upstream_failed,     // 502, wire word UNAVAILABLE: the upstream broke or lied
  upstream_timeout,    // 504, wire word UNAVAILABLE
  bad_request,         // 400, wire word UNSUPPORTED
  not_found,           // 404, wire word NAME_UNKNOWN: no such route
  internal,            // 500, wire word UNKNOWN
};

struct ErrorRow {
  ErrorCode code;
  std::string_view word;     // on the wire
  std::string_view message;  // for people
  int status;
};
const ErrorRow& error_row(ErrorCode code);

// Thrown when the client must hear why. `detail` is shown to the client: no secrets, no paths.
class Refusal : public std::exception {
 public:
  explicit Refusal(ErrorCode code, std::string detail = {})
      : code(code), detail(std::move(detail)) {}
  const char* what() const noexcept override { return detail.c_str(); }

  ErrorCode code;
  std::string detail;
  std::optional<std::chrono::seconds> retry_after;
  std::string allow;                           // for 405: the Allow header
  std::string challenge;                       // for 401: the WWW-Authenticate header
  std::optional<std::uint64_t> upload_offset;  // for 416 of an upload: the bytes we have
  std::vector<std::string> more;               // details of further errors of the same code
};

// {"errors":[{"code":…,"message":…,"detail":…}]}
std::string error_body(ErrorCode code, std::string_view detail);
// The same, with an entry for each of `more`.
std::string error_body(const Refusal& refusal);

}  // namespace entrepot::oci
