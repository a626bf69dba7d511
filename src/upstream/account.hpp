// As whom we speak to an upstream.
#pragma once

#include <string>

namespace entrepot::upstream {

struct Account {
  std::string username;
  std::string password;
  std::string identity_token;  // an OAuth2 refresh token, in the place of a password

  bool anonymous() const { return username.empty() && identity_token.empty(); }
  // The value of an Authorization header.
  std::string basic() const;
  // Tells accounts apart without telling what they are: a hash.
  std::string fingerprint() const;
};

}  // namespace entrepot::upstream
