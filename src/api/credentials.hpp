// What a request brings to prove who sent it.
#pragma once

#include "entrepot/auth/gate.hpp"
#include "entrepot/http/message.hpp"

namespace entrepot::api {

// Points into the request.
inline auth::Credentials credentials_of(const http::Request& request) {
  return {.authorization = request.headers.get("Authorization").value_or(std::string_view{}),
          .client_certificate = request.client_certificate,
          .remote = request.remote,
          .control_socket = request.via == http::Via::control_socket};
}

// Whether the Gate has anything to look at: most requests of a mirror are nobody's.
inline bool says_who(const auth::Credentials& credentials) {
  return !credentials.authorization.empty() || !credentials.client_certificate.empty() ||
         credentials.control_socket;
}

}  // namespace entrepot::api
