// The token protocol of registries (distribution "Token Authentication" and its OAuth2 variant):
// what we send to a token server and what we believe of its answer. Pure.
#pragma once

#include <chrono>
#include <compare>
#include <expected>
#include <string>
#include <string_view>

#include "entrepot/http/url.hpp"
#include "upstream/account.hpp"

namespace entrepot::upstream {

// All that a token is good for; one is never used for another (reliability.md U-14).
struct TokenKey {
  std::string origin;  // of the upstream that asked for it
  std::string realm;
  std::string service;
  std::string scope;    // built by us, never taken from a challenge (U-02); several by blanks
  std::string account;  // Account::fingerprint
  friend auto operator<=>(const TokenKey&, const TokenKey&) = default;
};

struct Token {
  std::string value;
  std::chrono::seconds lifetime;  // from receipt: the server's clock may be wrong
};

// What a token is asked for.
enum class Right {
  pull,
  push,    // and pull
  remove,  // delete
  list,    // the catalog, and what else is of no one repository
};
// "repository:<name>:pull" and so on.
std::string scope_text(std::string_view repository, Right right);

// Without what its query says of things that are ours to say: scope, service, account and the like
// (reliability.md U-02).
http::Url bare_realm(http::Url realm);
// Of the bare realm, for a GET.
http::Url token_url(http::Url realm, const TokenKey& key, const Account& account);
// application/x-www-form-urlencoded, grant_type=refresh_token.
std::string refresh_form(const TokenKey& key, const Account& account);

// `token` or `access_token`, and `expires_in`: 60 seconds when absent, not a number or not
// positive, an hour at most. The error is a sentence without secrets.
std::expected<Token, std::string> parse_token(std::string_view body);

}  // namespace entrepot::upstream
