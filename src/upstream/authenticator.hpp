// Answers challenges: decides what Authorization header a request to an upstream carries, and that
// nobody hears a secret who should not (reliability.md U-01, U-02, U-14). Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "entrepot/async/task.hpp"
#include "entrepot/http/challenge.hpp"
#include "upstream/credential_source.hpp"
#include "upstream/setback.hpp"
#include "upstream/token_client.hpp"

namespace entrepot::upstream {

class Authenticator {
 public:
  Authenticator(const OriginSet& origins, CredentialSource& credentials, TokenClient& tokens)
      : origins_(origins), credentials_(credentials), tokens_(tokens) {}

  // The header to begin with, from what this upstream asked for before; empty: none.
  async::Task<Try<std::string>> opening(http::Url upstream, std::string repository);
  // The header that answers a 401. `refused` is the one it was the answer to; its token is
  // forgotten.
  async::Task<Try<std::string>> answer(http::Url upstream, std::string repository,
                                       std::optional<http::Challenge> challenge,
                                       std::string refused);

 private:
  async::Task<Try<Account>> account(http::Url upstream);
  async::Task<Try<std::string>> bearer(http::Url upstream, std::string repository,
                                       http::Challenge challenge, std::string refused);
  async::Task<Try<std::string>> basic(http::Url upstream, std::string refused);

  const OriginSet& origins_;
  CredentialSource& credentials_;
  TokenClient& tokens_;
  std::mutex mutex_;                              // guards asked_
  std::map<std::string, http::Challenge> asked_;  // by the upstream's origin
};

}  // namespace entrepot::upstream
