// Names of requests, for the log, the X-Request-Id header and error reports.
#pragma once

#include <string>

namespace entrepot::http {

// Sixteen hexadecimal characters, unique in a run and not guessable from the one before.
// Thread-safe.
std::string next_request_id();

}  // namespace entrepot::http
