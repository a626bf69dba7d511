// OpenSSL's view of a Wire: it reads what the socket has without waiting, and writes into memory.
#pragma once

#include <openssl/bio.h>

#include <string>

#include "http/wire.hpp"

namespace entrepot::http {

// For an SSL, which frees it. `wire` and `written` outlive it.
BIO* make_wire_bio(Wire& wire, std::string& written);

}  // namespace entrepot::http
