// Tokens in use, each under everything it is good for. Thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "entrepot/base/clock.hpp"
#include "upstream/token.hpp"

namespace entrepot::upstream {

class TokenCache {
 public:
  explicit TokenCache(const base::Clock& clock) : clock_(clock) {}

  // Absent in the last tenth of its life already: a token must not end between us and the server.
  std::optional<std::string> find(const TokenKey& key);
  void put(const TokenKey& key, const Token& token);
  // The upstream refused `value`; one that has replaced it meanwhile stays.
  void forget(const TokenKey& key, const std::string& value);

 private:
  struct Entry {
    std::string value;
    base::SteadyTime good_until;
  };
  void make_room(base::SteadyTime now);

  static constexpr std::size_t most = 4096;
  const base::Clock& clock_;
  std::mutex mutex_;  // guards entries_
  std::map<TokenKey, Entry> entries_;
};

}  // namespace entrepot::upstream
