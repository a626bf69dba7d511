// Who a client says it is by its certificate.
#pragma once

#include <openssl/ssl.h>

#include <string>

namespace entrepot::http {

// The common name of the certificate the other side presented and OpenSSL verified. Empty when it
// presented none, or one with no common name, more than one, or an unprintable one: a name that can
// be read in two ways is nobody's.
std::string certificate_name(const SSL* ssl);

}  // namespace entrepot::http
