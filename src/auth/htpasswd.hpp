// The text of an htpasswd file: NAME:BCRYPT lines, blank lines, comments that begin with '#'.
//
// All of it or nothing: a line that means something else to somebody else makes the whole text
// unusable (reliability.md A-14). Reasons carry the number of the line and nothing of it.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "entrepot/base/bytes.hpp"

namespace entrepot::auth {

// Printable UTF-8 of at most 255 bytes that can stand before the ':' and means itself there.
bool is_user_name(std::string_view name);

class PasswordTable {
 public:
  // Null when there is no such user.
  const std::string* hash_of(const std::string& name) const;
  // What to compute instead for a name that is not there: the hash of some user, always the same
  // for the same `seed`, so that costs are spread over unknown names as over known ones.
  const std::string& stand_in(std::uint64_t seed) const;

  std::size_t size() const { return hashes_.size(); }
  // Lines with a cost below the advised one.
  const std::vector<std::size_t>& weak_lines() const { return weak_lines_; }

 private:
  friend std::expected<PasswordTable, std::string> parse_htpasswd(std::string_view text);
  std::unordered_map<std::string, std::size_t> places_;  // in hashes_
  std::vector<std::string> hashes_;
  std::vector<std::size_t> weak_lines_;
};

// The error is "line N: …". Both line ends are read; a byte order mark is refused.
std::expected<PasswordTable, std::string> parse_htpasswd(std::string_view text);

// `text` without its first line, which is returned without its end.
std::string_view take_line(std::string_view& text);

}  // namespace entrepot::auth
