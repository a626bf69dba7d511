// Why a request is not let through to the handler. After one the connection is closed: whoever
// sends what we do not understand may mean its next bytes differently than we do.
#pragma once

#include <string>

#include "entrepot/oci/refusal.hpp"

namespace entrepot::http {

struct Rejection {
  int status = 400;
  oci::ErrorCode code = oci::ErrorCode::bad_request;
  std::string detail{};
  std::string allow{};  // for 405: the Allow header
};

}  // namespace entrepot::http
