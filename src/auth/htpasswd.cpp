#include "auth/htpasswd.hpp"

#include <algorithm>

#include "auth/bcrypt.hpp"
#include "entrepot/base/utf8.hpp"

namespace entrepot::auth {
namespace {

constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_line = 1024;

// Of cost 10; nobody knows its password.
const std::string nobody = "$2b$10$YFCrvgmKHzrqTm1CoUpIWuxO4szBkvRntepw9kpBKjkQ1Wu0qAZ0y";

struct Entry {
  std::string_view name;
  std::string_view hash;
  int cost = 0;
};

std::expected<Entry, const char*> parse_entry(std::string_view line) {
  if (line.starts_with("\xef\xbb\xbf")) return std::unexpected("begins with a byte order mark");
  if (line.size() > longest_line) return std::unexpected("is too long");
  const auto colon = line.find(':');
  if (colon == line.npos) return std::unexpected("is not NAME:HASH");
  const Entry entry{line.substr(0, colon), line.substr(colon + 1)};
  if (!is_user_name(entry.name)) return std::unexpected("has a name that cannot be used");
  if (entry.hash.empty()) return std::unexpected("has no password");
  const auto cost = bcrypt_cost(entry.hash);
  if (!cost) return std::unexpected("is not a bcrypt entry (htpasswd -B makes them)");
  if (*cost > highest_cost) return std::unexpected("has a bcrypt cost above 14");
  return Entry{entry.name, entry.hash, *cost};
}

}  // namespace

bool is_user_name(std::string_view name) {
  if (name.empty() || name.size() > longest_name || base::valid_utf8(name) != name) return false;
  if (name.front() == '#' || name.front() == ' ' || name.back() == ' ') return false;
  return std::ranges::none_of(name,
                              [](unsigned char c) { return c < ' ' || c == 0x7f || c == ':'; });
}

const std::string* PasswordTable::hash_of(const std::string& name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : &hashes_[found->second];
}

const std::string& PasswordTable::stand_in(std::uint64_t seed) const {
  return hashes_.empty() ? nobody : hashes_[seed % hashes_.size()];
}

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::expected<PasswordTable, std::string> parse_htpasswd(std::string_view text) {
  PasswordTable table;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = take_line(text);
    if (line.find_first_not_of(" \t") == line.npos || line.starts_with('#')) continue;
    const auto refuse = [number](const char* why) {
      return std::unexpected("line " + std::to_string(number) + " " + why);
    };
    const auto entry = parse_entry(line);
    if (!entry) return refuse(entry.error());
    if (!table.places_.emplace(entry->name, table.hashes_.size()).second) {
      return refuse("has a name that was there before");
    }
    table.hashes_.emplace_back(entry->hash);
    if (entry->cost < advised_cost) table.weak_lines_.push_back(number);
  }
  return table;
}

}  // namespace entrepot::auth
