// The account of one upstream: from the configuration and its password file, or from a docker
// config.json and the helpers it names. Files are read again when they change. Thread-safe.
#pragma once

#include <expected>
#include <map>
#include <mutex>
#include <string>

#include "entrepot/async/offload.hpp"
#include "entrepot/async/single_flight.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/http/url.hpp"
#include "upstream/account.hpp"
#include "upstream/docker_config.hpp"
#include "upstream/watched_file.hpp"

namespace entrepot::upstream {

class CredentialSource {
 public:
  struct Places {
    std::string username;
    std::string password_file;
    std::string docker_config;
  };
  CredentialSource(Places places, async::BlockingPool& pool, const base::Clock& clock);

  // For requests to `server`. Anonymous when nothing is configured for it. The error is a sentence
  // for the log: it names files.
  async::Task<std::expected<Account, std::string>> account(http::Url server);

 private:
  using Known = std::expected<Account, std::string>;

  async::Task<Known> from_helper(HelperEntry entry);
  async::Task<Known> run_helper(HelperEntry entry);

  struct Remembered {
    Account account;
    base::SteadyTime until;
  };

  Places places_;
  async::BlockingPool& pool_;
  const base::Clock& clock_;
  WatchedFile password_;
  WatchedFile config_;
  async::SingleFlight<std::string, Known> flights_;
  std::mutex mutex_;  // guards helped_
  std::map<std::string, Remembered> helped_;
};

}  // namespace entrepot::upstream
