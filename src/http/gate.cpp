#include "http/gate.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "entrepot/base/units.hpp"
#include "http/scan.hpp"

namespace entrepot::http {

namespace {

using Verdict = std::optional<Rejection>;

Rejection bad(std::string detail) { return {.detail = std::move(detail)}; }

Verdict check_method(const RequestHead& head) {
  constexpr std::array<std::string_view, 7> known = {"GET",   "HEAD",   "POST",   "PUT",
                                                     "PATCH", "DELETE", "OPTIONS"};
  if (std::ranges::find(known, head.method) != known.end()) return std::nullopt;
  return Rejection{.status = 405,
                   .code = oci::ErrorCode::unsupported,
                   .detail = "method not supported",
                   .allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"};
}

bool is_port(std::string_view text) {
  const auto number = base::parse_unsigned(text);
  return text.empty() || (number && *number <= 65'535);
}

bool is_host_character(char c) {
  return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_';
}

bool is_address_character(char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; }

Verdict check_host(const RequestHead& head) {
  const auto hosts = head.headers.all("Host");
  if (hosts.size() > 1) return bad("more than one Host");
  if (hosts.empty()) {
    if (head.minor_version == 0) return std::nullopt;
    return bad("no Host");
  }
  if (!is_authority(hosts.front())) return bad("malformed Host");
  return std::nullopt;
}

// Absolute-form is for proxies to other hosts, which we are not: its authority must be our Host.
Verdict check_authority(const RequestHead& head) {
  std::string_view target = head.target;
  if (target.starts_with('/')) return std::nullopt;
  const auto colon = target.find("://");
  const auto scheme = target.substr(0, std::min(colon, target.size()));
  if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https")) {
    return bad("malformed request target");
  }
  target.remove_prefix(std::min(colon + 3, target.size()));
  const auto authority = target.substr(0, std::min(target.find_first_of("/?"), target.size()));
  const auto host = head.headers.get("Host");
  if (!host || !equals_ignoring_case(authority, *host)) {
    return bad("request target names another host");
  }
  return std::nullopt;
}

Verdict judge_transfer_encoding(const RequestHead& head, Admission& admission) {
  const auto codings = head.headers.all("Transfer-Encoding");
  if (codings.empty()) return std::nullopt;
  if (head.minor_version == 0) return bad("Transfer-Encoding in HTTP/1.0");
  if (head.headers.count("Content-Length") > 0) return bad("two framings");
  if (codings.size() > 1) return bad("more than one Transfer-Encoding");
  const auto coding = trim_blanks(codings.front());
  if (!equals_ignoring_case(coding, "chunked")) {
    const auto last = trim_blanks(coding.substr(coding.rfind(',') + 1));
    const bool framed = coding.contains(',') && equals_ignoring_case(last, "chunked");
    return Rejection{.status = framed ? 501 : 400, .detail = "transfer coding not supported"};
  }
  admission.framing = Framing::chunked;
  return std::nullopt;
}

Verdict judge_content_length(const RequestHead& head, Admission& admission) {
  const auto lengths = head.headers.all("Content-Length");
  if (lengths.empty()) return std::nullopt;
  if (lengths.size() > 1) return bad("more than one Content-Length");
  const auto length = base::parse_unsigned(lengths.front());
  if (!length) return bad("malformed Content-Length");
  admission.framing = *length == 0 ? Framing::none : Framing::length;
  admission.content_length = *length;
  return std::nullopt;
}

Verdict judge_expectation(const RequestHead& head, Admission& admission) {
  const auto expectation = head.headers.get("Expect");
  if (!expectation || head.minor_version == 0) return std::nullopt;
  if (!equals_ignoring_case(*expectation, "100-continue")) {
    return Rejection{.status = 417, .detail = "expectation not supported"};
  }
  admission.expects_continue = true;
  return std::nullopt;
}

bool stays_open(const RequestHead& head) {
  bool keep = head.minor_version >= 1;
  for (const auto value : head.headers.all("Connection")) {
    Scanner scanner(value);
    while (!scanner.at_end()) {
      scanner.skip_separators();
      const auto option = scanner.token();
      if (option.empty()) break;
      if (equals_ignoring_case(option, "close")) return false;
      if (equals_ignoring_case(option, "keep-alive")) keep = true;
    }
  }
  return keep;
}

Verdict judge_target(const RequestHead& head, Admission& admission) {
  auto target = parse_target(head.target);
  if (!target) {
    return Rejection{.code = oci::ErrorCode::name_invalid, .detail = "malformed request target"};
  }
  admission.target = std::move(*target);
  return std::nullopt;
}

}  // namespace

bool is_authority(std::string_view text) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos || close == 1) return false;
    const auto rest = text.substr(close + 1);
    return std::ranges::all_of(text.substr(1, close - 1), is_address_character) &&
           (rest.empty() || (rest.starts_with(':') && is_port(rest.substr(1))));
  }
  const auto colon = std::min(text.find(':'), text.size());
  const auto port = text.substr(std::min(colon + 1, text.size()));
  return colon > 0 && std::ranges::all_of(text.substr(0, colon), is_host_character) &&
         is_port(port);
}

std::expected<Admission, Rejection> admit(const RequestHead& head) {
  Admission admission;
  for (const auto check : {check_method, check_host, check_authority}) {
    if (auto rejection = check(head)) return std::unexpected(std::move(*rejection));
  }
  for (const auto judge :
       {judge_transfer_encoding, judge_content_length, judge_expectation, judge_target}) {
    if (auto rejection = judge(head, admission)) return std::unexpected(std::move(*rejection));
  }
  admission.keep_alive = stays_open(head);
  return admission;
}

}  // namespace entrepot::http
