#include "upstream/setback.hpp"

#include <algorithm>
#include <ctime>

#include "entrepot/base/units.hpp"

namespace entrepot::upstream {
namespace {

using registry::Failure;
using registry::FailureKind;
using std::chrono::seconds;

constexpr seconds shortest_wait(1);
constexpr seconds longest_wait(600);
constexpr seconds unnamed_wait(10);

// "Sun, 06 Nov 1994 08:49:37 GMT"; the daemon never leaves the C locale.
std::optional<base::WallTime> parse_http_date(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return base::WallTime(seconds(::timegm(&parts)));
}

FailureKind kind_of_status(int status) {
  switch (status) {
    case 404:
    case 410:
      return FailureKind::absent;
    case 401:
    case 403:
    case 407:
    case 451:
      return FailureKind::denied;
    case 429:
      return FailureKind::throttled;
    default:
      return FailureKind::broken;
  }
}

bool passes(int status) {
  return status == 408 || (status >= 500 && status != 501 && status != 505);
}

std::string sentence(FailureKind kind, int status, std::string_view who) {
  std::string text = who.empty() ? std::string() : std::string(who) + " ";
  if (kind == FailureKind::denied)
    return text + "refuses access (" + std::to_string(status) +
           "): the login is wrong, missing, or lacks the right";
  return text + "answered " + std::to_string(status);
}

bool gateway_failed(int status) { return status >= 502 && status <= 504; }

}  // namespace

std::unexpected<Setback> disbelieve(std::string message) {
  return std::unexpected(Setback{{FailureKind::broken, std::move(message)}});
}

std::unexpected<Setback> deny(std::string message) {
  return std::unexpected(Setback{{FailureKind::denied, std::move(message)}});
}

Setback of_transport(const http::TransportError& error) {
  using enum http::TransportErrorKind;
  Failure failure{FailureKind::broken, error.message};
  switch (error.kind) {
    case timeout:
      // Not asked again: whoever waits has waited long enough (reliability.md N-01).
      failure.kind = FailureKind::timeout;
      return {std::move(failure), Again::is_pointless, Blame::server};
    case tls:
      return {std::move(failure), Again::is_pointless, Blame::server};
    case refused_address:
    case cancelled:
      return {std::move(failure), Again::is_pointless, Blame::nobody};
    case resolve:
    case connect:
    case broken:
      break;
  }
  return {std::move(failure), Again::may_help, Blame::server};
}

std::optional<Setback> of_status(int status, const http::Headers& headers, base::WallTime now,
                                 std::string_view who) {
  if (status == 200 || status == 206) return std::nullopt;
  Setback setback;
  setback.status = status;
  setback.failure.kind = kind_of_status(status);
  setback.failure.message = sentence(setback.failure.kind, status, who);
  const auto retry_after = headers.get("Retry-After");
  if (retry_after || setback.failure.kind == FailureKind::throttled)
    setback.failure.retry_after = wait_asked_for(retry_after, now);
  setback.again = passes(status) ? Again::may_help : Again::is_pointless;
  setback.blame = gateway_failed(status) ? Blame::server : Blame::nobody;
  return setback;
}

seconds wait_asked_for(std::optional<std::string_view> retry_after, base::WallTime now) {
  if (!retry_after) return unnamed_wait;
  const bool digits = !retry_after->empty() &&
                      retry_after->find_first_not_of("0123456789") == std::string_view::npos;
  if (digits) {
    const auto number = base::parse_unsigned(*retry_after);
    if (!number || *number > 600) return longest_wait;
    return std::max(shortest_wait, seconds(*number));
  }
  const auto date = parse_http_date(std::string(*retry_after));
  if (!date) return unnamed_wait;
  return std::clamp(std::chrono::ceil<seconds>(*date - now), shortest_wait, longest_wait);
}

}  // namespace entrepot::upstream
