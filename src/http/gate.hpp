// Decides from a parsed head whether the request may reach the handler, and how its body is
// delimited. Beast 1.81 accepts framings that hide a second request; nothing behind this gate ever
// sees one (reliability.md H-01 to H-12; RFC 9112 sections 3, 6 and 9).
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "entrepot/http/target.hpp"
#include "http/rejection.hpp"
#include "http/request_head.hpp"

namespace entrepot::http {

enum class Framing { none, length, chunked };

struct Admission {
  Target target;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;  // with Framing::length
  bool keep_alive = true;
  bool expects_continue = false;
};

// host [":" port], the host a name, an IPv4 address or an IPv6 address in brackets. Pure.
bool is_authority(std::string_view text);

// Pure.
std::expected<Admission, Rejection> admit(const RequestHead& head);

}  // namespace entrepot::http
