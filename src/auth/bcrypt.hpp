// bcrypt by the system's libcrypt. Blocking: about 55 ms at cost 10, twice that for each step more.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace entrepot::auth {

inline constexpr int lowest_cost = 4;
inline constexpr int advised_cost = 10;
inline constexpr int highest_cost = 14;  // 0.9 s a login: more is an attack on ourselves

// What bcrypt looks at of a password; the rest would be ignored without a word.
inline constexpr std::size_t longest_password = 72;

// The cost of a well-formed "$2a$", "$2b$" or "$2y$" entry; absent for anything else.
std::optional<int> bcrypt_cost(std::string_view hash);

// Thread-safe. False for whatever libcrypt does not take, a NUL byte in the password among it.
bool bcrypt_matches(const std::string& password, const std::string& hash);

// "$2y$…" under a random salt. Throws std::system_error.
std::string bcrypt_hash(const std::string& password, int cost);

}  // namespace entrepot::auth
