#include "http/response_head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace entrepot::http {

namespace {

std::string_view reason(int status) {
  using Row = std::pair<int, std::string_view>;
  static constexpr std::array rows = {
      Row{200, "OK"},
      Row{201, "Created"},
      Row{202, "Accepted"},
      Row{204, "No Content"},
      Row{206, "Partial Content"},
      Row{304, "Not Modified"},
      Row{400, "Bad Request"},
      Row{401, "Unauthorized"},
      Row{403, "Forbidden"},
      Row{404, "Not Found"},
      Row{405, "Method Not Allowed"},
      Row{408, "Request Timeout"},
      Row{409, "Conflict"},
      Row{413, "Content Too Large"},
      Row{416, "Range Not Satisfiable"},
      Row{417, "Expectation Failed"},
      Row{429, "Too Many Requests"},
      Row{431, "Request Header Fields Too Large"},
      Row{500, "Internal Server Error"},
      Row{501, "Not Implemented"},
      Row{502, "Bad Gateway"},
      Row{503, "Service Unavailable"},
      Row{504, "Gateway Timeout"},
      Row{507, "Insufficient Storage"},
  };
  const auto found = std::ranges::find(rows, status, &Row::first);
  return found == rows.end() ? std::string_view() : found->second;
}

// RFC 9110 section 5.6.7; written once a second and thread.
std::string_view date() {
  thread_local std::time_t second = -1;
  thread_local std::string text;
  const auto now = std::time(nullptr);
  if (now == second) return text;
  second = now;
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 64> buffer{};
  const auto size =
      std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  text.assign(buffer.data(), size);
  return text;
}

bool is_control(char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; }

void append_field(std::string& head, std::string_view name, std::string_view value) {
  head += name;
  head += ": ";
  const auto begin = static_cast<std::ptrdiff_t>(head.size());
  head += value;
  std::replace_if(head.begin() + begin, head.end(), is_control, ' ');
  head += "\r\n";
}

Reply error_reply(int status, oci::ErrorCode code, std::string_view detail) {
  auto reply = text_reply(status, "application/json", oci::error_body(code, detail));
  reply.headers.add("X-Content-Type-Options", "nosniff");
  reply.headers.add("Docker-Distribution-Api-Version", "registry/2.0");
  return reply;
}

}  // namespace

bool may_have_body(int status) { return status >= 200 && status != 204 && status != 304; }

std::string render_head(const Reply& reply, std::string_view request_id, Persistence persistence) {
  std::string head;
  head.reserve(768);
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\n", reply.status,
                 reason(reply.status));
  append_field(head, "Date", date());
  for (const auto& [name, value] : reply.headers.fields()) append_field(head, name, value);
  if (may_have_body(reply.status)) {
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", reply.body_length());
  }
  append_field(head, "X-Request-Id", request_id);
  if (persistence == Persistence::close) append_field(head, "Connection", "close");
  if (persistence == Persistence::stated_keep_alive) {
    append_field(head, "Connection", "keep-alive");
  }
  head += "\r\n";
  return head;
}

Reply refusal_reply(const oci::Refusal& refusal) {
  auto reply = error_reply(oci::error_row(refusal.code).status, refusal.code, refusal.detail);
  if (refusal.retry_after) {
    reply.headers.add("Retry-After", std::to_string(refusal.retry_after->count()));
  }
  if (!refusal.allow.empty()) reply.headers.add("Allow", refusal.allow);
  return reply;
}

Reply rejection_reply(const Rejection& rejection) {
  auto reply = error_reply(rejection.status, rejection.code, rejection.detail);
  if (!rejection.allow.empty()) reply.headers.add("Allow", rejection.allow);
  return reply;
}

}  // namespace entrepot::http
