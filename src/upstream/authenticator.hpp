// Answers challenges: decides what Authorization header a request to an upstream carries, and that
// nobody hears a secret who should not (reliability.md U-01, U-02, U-14). Thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "entrepot/async/task.hpp"
#include "entrepot/http/challenge.hpp"
#include "upstream/credential_source.hpp"
#include "upstream/setback.hpp"
#include "upstream/token_client.hpp"

namespace entrepot::upstream {

// What a question needs a login for.
struct Access {
  std::string repository;
  std::string scope;
};

// What a question begins with.
struct Opening {
  // A challenge remembered from before that could not be answered this time.
  struct Unanswered {
    http::Challenge challenge;
    Setback why;
  };
  std::string authorization;  // empty: none
  std::optional<Unanswered> unanswered;
};

class Authenticator {
 public:
  Authenticator(const OriginSet& origins, CredentialSource& credentials, TokenClient& tokens)
      : origins_(origins), credentials_(credentials), tokens_(tokens) {}

  // From what this upstream asked for in this repository before. Never an error: token servers
  // move, and only the upstream's next 401 tells where to.
  async::Task<Opening> opening(http::Url upstream, Access access);
  // The header that answers a 401 to a question that began with `opening`: its token is forgotten,
  // and a challenge just found unanswerable is not tried again.
  async::Task<Try<std::string>> answer(http::Url upstream, Access access,
                                       std::optional<http::Challenge> challenge, Opening opening);

 private:
  using Place = std::pair<std::string, std::string>;  // the upstream's origin, the repository

  std::optional<http::Challenge> remembered(const Place& place);
  void remember(const Place& place, http::Challenge challenge);
  void forget(const Place& place);
  async::Task<Try<std::string>> authorize(http::Url upstream, std::string scope,
                                          http::Challenge challenge, std::string refused);
  async::Task<Try<Account>> account(http::Url upstream);
  async::Task<Try<std::string>> bearer(http::Url upstream, std::string scope,
                                       http::Challenge challenge, std::string refused);
  async::Task<Try<std::string>> basic(http::Url upstream, std::string refused);

  const OriginSet& origins_;
  CredentialSource& credentials_;
  TokenClient& tokens_;
  static constexpr std::size_t most_remembered = 4096;
  std::mutex mutex_;  // guards asked_
  std::map<Place, http::Challenge> asked_;
};

}  // namespace entrepot::upstream
