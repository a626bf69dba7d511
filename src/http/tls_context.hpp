// The settings of one TLS listener, as OpenSSL wants them: TLS 1.2 and 1.3, forward secrecy and
// authenticated encryption only.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "entrepot/http/server.hpp"

namespace entrepot::http {

// Reads the files. Throws std::runtime_error with a sentence naming the one that is at fault.
std::shared_ptr<SSL_CTX> make_tls_context(const TlsOptions& options);

// What OpenSSL last complained of on this thread, which it then forgets; empty when nothing.
std::string take_tls_error();

}  // namespace entrepot::http
