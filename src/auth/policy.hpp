// What one reading of the configuration says about users, rules and keys; replaced as a whole.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/rule_book.hpp"
#include "auth/token_desk.hpp"
#include "auth/user_file.hpp"
#include "entrepot/auth/gate.hpp"
#include "entrepot/base/clock.hpp"

namespace entrepot::auth {

// What a request wanted and did not get.
struct Wanted {
  Right right = Right::pull;
  std::string scope{};            // of a token that would do; empty: none would
  bool allowed_by_rules = false;  // only the token stands in the way
};

// Thread-safe.
class Policy {
 public:
  // Throws std::runtime_error.
  Policy(GateOptions options, const base::Clock& clock);

  const RuleBook& rules() const { return rules_; }
  const TokenDesk& tokens() const { return tokens_; }
  // Null when no file was named: then nobody has a password.
  std::shared_ptr<const PasswordTable> users() const;
  bool has_users() const { return users_ != nullptr; }
  // Whether anybody at all could prove a name in a header.
  bool knows_names() const { return has_users() || tokens_.accepts_any(); }

  bool allows(const Principal& principal, Right right, std::string_view repository) const;
  // The rules alone, as if a token covered everything.
  bool rules_allow(const Principal& principal, Right right, std::string_view repository) const;

  // WWW-Authenticate for who came without a name; empty when there is no way to prove one. One
  // challenge, not two: clients differ in which of two they see.
  std::string challenge(std::string_view scope = {}) const;
  // Empty without users.
  std::string password_challenge() const;
  // For who came with a token: RFC 6750 section 3.1 has the words.
  std::string token_challenge(std::string_view scope, std::string_view error) const;

  // Throws oci::Refusal: unauthorized when the principal could still prove more, else denied.
  [[noreturn]] void refuse(const Principal& principal, const Wanted& wanted) const;

 private:
  std::string challenge_for(const Principal& principal, const Wanted& wanted) const;

  std::string realm_name_;
  RuleBook rules_;
  std::shared_ptr<UserFile> users_;
  TokenDesk tokens_;
};

// Throws unauthorized with this challenge; denied when it is empty.
[[noreturn]] void ask_for_proof(std::string challenge);

}  // namespace entrepot::auth
