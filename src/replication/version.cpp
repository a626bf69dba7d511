#include "replication/version.hpp"

#include <algorithm>
#include <array>

#include "entrepot/base/units.hpp"

namespace entrepot::replication {

namespace {

constexpr std::string_view digits = "0123456789";

bool numeric(std::string_view text) { return text.find_first_not_of(digits) == text.npos; }

bool identifier(std::string_view text) {
  constexpr std::string_view letters =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-";
  return !text.empty() && text.find_first_not_of(letters) == text.npos;
}

// Absent when an identifier is empty or has a foreign character.
std::optional<std::vector<std::string>> identifiers(std::string_view text) {
  std::vector<std::string> found;
  for (;;) {
    const auto end = text.find('.');
    const auto one = text.substr(0, end);
    if (!identifier(one)) return std::nullopt;
    found.emplace_back(one);
    if (end == text.npos) return found;
    text.remove_prefix(end + 1);
  }
}

std::string_view without_zeros(std::string_view text) {
  const auto first = text.find_first_not_of('0');
  return first == text.npos ? text.substr(text.size() - 1) : text.substr(first);
}

std::strong_ordering compare_identifiers(std::string_view a, std::string_view b) {
  if (numeric(a) != numeric(b)) {
    return numeric(a) ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  if (!numeric(a)) return a <=> b;
  const auto x = without_zeros(a);
  const auto y = without_zeros(b);
  return x.size() != y.size() ? x.size() <=> y.size() : x <=> y;
}

bool wild(std::string_view part) { return part == "x" || part == "X" || part == "*"; }

// Takes "1", "1.x", "1.2.3" apart; parts after one that is wild or left out must be so, too.
bool read_parts(std::string_view text, PartialVersion& version) {
  const std::array<std::optional<std::uint64_t>*, 3> places{&version.major, &version.minor,
                                                            &version.patch};
  bool open = false;
  for (std::size_t i = 0;; ++i) {
    const auto end = text.find('.');
    const auto part = text.substr(0, end);
    if (i == places.size()) return false;
    open = open || wild(part);
    if (open) {
      if (!wild(part)) return false;
    } else {
      *places[i] = base::parse_unsigned(part);
      if (!*places[i]) return false;
    }
    if (end == text.npos) return true;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::optional<PartialVersion> PartialVersion::parse(std::string_view text) {
  if (text.starts_with('v') || text.starts_with('V') || text.starts_with('='))
    text.remove_prefix(1);
  const auto build = text.find_first_of("+_");
  if (build != text.npos) {
    std::string rest(text.substr(build + 1));
    std::ranges::replace(rest, '_', '.');
    if (!identifiers(rest)) return std::nullopt;
  }
  text = text.substr(0, build);
  PartialVersion version;
  const auto dash = text.find('-');
  if (!read_parts(text.substr(0, dash), version)) return std::nullopt;
  if (dash == text.npos) return version;
  auto prerelease = identifiers(text.substr(dash + 1));
  const bool open = text.substr(0, dash).find_first_of("xX*") != text.npos;
  if (!prerelease || open) return std::nullopt;
  version.prerelease = std::move(*prerelease);
  // 1.2-rc1 is a prerelease of 1.2.0.
  version.minor = version.minor.value_or(0);
  version.patch = version.patch.value_or(0);
  return version;
}

SemanticVersion PartialVersion::lowest() const {
  return {.major = major.value_or(0),
          .minor = minor.value_or(0),
          .patch = patch.value_or(0),
          .prerelease = prerelease};
}

std::optional<SemanticVersion> SemanticVersion::parse(std::string_view text) {
  if (text.starts_with('=')) return std::nullopt;
  if (text.substr(0, text.find_first_of("-+_")).find_first_of("xX*") != text.npos) {
    return std::nullopt;
  }
  const auto partial = PartialVersion::parse(text);
  if (!partial) return std::nullopt;
  return partial->lowest();
}

std::strong_ordering operator<=>(const SemanticVersion& a, const SemanticVersion& b) {
  if (const auto order = a.major <=> b.major; order != 0) return order;
  if (const auto order = a.minor <=> b.minor; order != 0) return order;
  if (const auto order = a.patch <=> b.patch; order != 0) return order;
  // A release is above all its prereleases.
  if (a.prerelease.empty() || b.prerelease.empty()) {
    return b.prerelease.size() <=> a.prerelease.size();
  }
  const auto shared = std::min(a.prerelease.size(), b.prerelease.size());
  for (std::size_t i = 0; i < shared; ++i) {
    const auto order = compare_identifiers(a.prerelease[i], b.prerelease[i]);
    if (order != 0) return order;
  }
  return a.prerelease.size() <=> b.prerelease.size();
}

}  // namespace entrepot::replication
