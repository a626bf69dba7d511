// WWW-Authenticate texts (RFC 7617, RFC 6750, Docker's token authentication). What was wrong with
// a name or a password is never said (reliability.md A-19).
#pragma once

#include <string>
#include <string_view>

namespace entrepot::auth {

struct BearerChallenge {
  std::string_view realm;
  std::string_view service;
  std::string_view scope{};  // empty: none
  std::string_view error{};  // RFC 6750 section 3.1; empty: none
};

std::string basic_challenge(std::string_view realm);
std::string bearer_challenge(const BearerChallenge& challenge);

}  // namespace entrepot::auth
