// JSON Web Tokens in the compact form (RFC 7515, RFC 7519) with the claims of Docker's token
// authentication. Reading believes nothing; KeySet::signed_this() and holds() decide.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/auth/right.hpp"
#include "entrepot/base/clock.hpp"

namespace entrepot::auth {

using Instant = std::chrono::sys_seconds;

struct AccessEntry {
  std::string type;
  std::string name;
  std::vector<std::string> actions;
};

struct Claims {
  std::string issuer;
  std::string subject{};
  std::vector<std::string> audience;
  std::optional<Instant> expires{};
  std::optional<Instant> not_before{};
  std::optional<Instant> issued{};
  std::string id{};
  std::vector<AccessEntry> access{};
  // Ours alone: how the subject was proved; what its password was (refresh tokens).
  std::string proof{};
  std::string fingerprint{};
};

struct UnverifiedToken {
  std::string_view signed_text;  // of the text it was read from
  std::string signature;
  std::string algorithm;
  std::string key_id;  // may be empty
  std::string type;    // may be empty
  Claims claims;
};

inline constexpr std::size_t longest_token = 8000;  // in a header line of 8 KiB
inline constexpr std::chrono::seconds leeway{60};   // between clocks (K-03)

// Absent when anything about it is odd: length, encoding, "crit", a claim of the wrong kind. What
// the header says of keys ("jwk", "jku", "x5c", "x5u") is not read.
std::optional<UnverifiedToken> parse_jwt(std::string_view text);

// Whether it is for this audience and now within its time.
bool holds(const Claims& claims, std::string_view audience, base::WallTime now);

// The part that is signed.
std::string unsigned_jwt(std::string_view algorithm, std::string_view key_id, std::string_view type,
                         const Claims& claims);

}  // namespace entrepot::auth
