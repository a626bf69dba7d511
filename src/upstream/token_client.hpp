// Asks token servers, one request at a time for each token, and keeps what they give.
// Thread-safe.
#pragma once

#include <string>

#include "entrepot/async/single_flight.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/http/client.hpp"
#include "upstream/account.hpp"
#include "upstream/origin_set.hpp"
#include "upstream/setback.hpp"
#include "upstream/token_cache.hpp"

namespace entrepot::upstream {

class TokenClient {
 public:
  TokenClient(const OriginSet& origins, http::Client& client, const base::Clock& clock,
              base::Metrics& metrics)
      : origins_(origins), client_(client), clock_(clock), metrics_(metrics), cache_(clock) {}

  // REQUIRES: the realm may hear the account's secret (trust_in).
  async::Task<Try<std::string>> token(TokenKey key, http::Url realm, Account account);
  void forget(const TokenKey& key, const std::string& value) { cache_.forget(key, value); }

 private:
  async::Task<Try<std::string>> fetch(TokenKey key, http::Url realm, Account account);
  http::ClientRequest get_request(const TokenKey& key, const http::Url& realm,
                                  const Account& account) const;
  http::ClientRequest refresh_request(const TokenKey& key, const http::Url& realm,
                                      const Account& account) const;
  async::Task<Try<std::string>> ask(http::ClientRequest request, int& status);
  async::Task<Try<std::string>> exchange(http::ClientRequest request, int& status);

  const OriginSet& origins_;
  http::Client& client_;
  const base::Clock& clock_;
  base::Metrics& metrics_;
  TokenCache cache_;
  async::SingleFlight<TokenKey, Try<std::string>> flights_;
};

}  // namespace entrepot::upstream
