// The status line and header fields of an answer, as bytes.
#pragma once

#include <cstdint>
#include <string>

#include "entrepot/http/message.hpp"
#include "http/rejection.hpp"

namespace entrepot::http {

enum class Persistence { implied_keep_alive, stated_keep_alive, close };

// Date, Content-Length and X-Request-Id are added; a control character in a value becomes a blank,
// so that no value can end its line.
std::string render_head(const Reply& reply, std::string_view request_id, Persistence persistence);

// 1xx, 204 and 304 have no body whatever the handler put there.
bool may_have_body(int status);

// The specification's error body, with every header that belongs to it.
Reply refusal_reply(const oci::Refusal& refusal);
Reply rejection_reply(const Rejection& rejection);

}  // namespace entrepot::http
