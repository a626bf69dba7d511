#include "replication/version_range.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>

namespace entrepot::replication {

namespace {

[[noreturn]] void refuse(std::string_view text) {
  throw std::invalid_argument("\"" + std::string(text) +
                              "\" is no range of versions (as in \">=1.2 <2\", \"^1.4\", \"1.x\")");
}

std::uint64_t after(std::uint64_t part) {
  return part == std::numeric_limits<std::uint64_t>::max() ? part : part + 1;
}

// The first version after all that a partial one means: 1.2 -> 1.3.0. Absent for "*".
std::optional<SemanticVersion> end_of(const PartialVersion& version) {
  if (!version.major) return std::nullopt;
  if (!version.minor) return SemanticVersion{.major = after(*version.major)};
  if (!version.patch) {
    return SemanticVersion{.major = *version.major, .minor = after(*version.minor)};
  }
  return SemanticVersion{
      .major = *version.major, .minor = *version.minor, .patch = after(*version.patch)};
}

// What ^ allows to change: whatever is right of the first part that is not zero.
std::optional<SemanticVersion> caret_end(const PartialVersion& version) {
  if (!version.major) return std::nullopt;
  if (*version.major > 0 || !version.minor) {
    return SemanticVersion{.major = after(*version.major)};
  }
  if (*version.minor > 0 || !version.patch) {
    return SemanticVersion{.major = 0, .minor = after(*version.minor)};
  }
  return SemanticVersion{.major = 0, .minor = 0, .patch = after(*version.patch)};
}

std::optional<SemanticVersion> tilde_end(const PartialVersion& version) {
  if (!version.major || !version.minor) return end_of(version);
  return SemanticVersion{.major = *version.major, .minor = after(*version.minor)};
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const auto begin = text.find_first_not_of(" \t,", at);
    if (begin == text.npos) break;
    at = std::min(text.find_first_of(" \t,", begin), text.size());
    words.emplace_back(text.substr(begin, at - begin));
  }
  return words;
}

std::string_view sign_of(std::string_view word) {
  for (const std::string_view sign : {">=", "<=", ">", "<", "=", "^", "~>", "~"}) {
    if (word.starts_with(sign)) return word.substr(0, sign.size());
  }
  return {};
}

}  // namespace

VersionRange::VersionRange(std::string_view range, bool prereleases) : prereleases_(prereleases) {
  for (auto rest = range;;) {
    const auto end = rest.find("||");
    any_.push_back(read_all(rest.substr(0, end)));
    if (end == rest.npos) break;
    rest.remove_prefix(end + 2);
  }
}

VersionRange::All VersionRange::read_all(std::string_view text) const {
  All all;
  const auto words = words_of(text);
  if (words.empty()) refuse(text);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i + 2 < words.size() && words[i + 1] == "-") {
      add(all, ">=", words[i]);
      add(all, "<=", words[i + 2]);
      i += 2;
      continue;
    }
    const auto sign = sign_of(words[i]);
    auto version = std::string_view(words[i]).substr(sign.size());
    // ">= 1.2" is two words.
    if (version.empty() && i + 1 < words.size()) version = words[++i];
    add(all, sign, version);
  }
  return all;
}

void VersionRange::add_lower(All& all, const PartialVersion& version) const {
  auto lowest = version.lowest();
  const bool named = !lowest.prerelease.empty();
  if (prereleases_ && !named && !version.patch) lowest.prerelease = {"0"};
  all.push_back({Bound::at_least, std::move(lowest), named});
}

// Below all prereleases of it, too.
void VersionRange::add_upper(All& all, SemanticVersion version) const {
  version.prerelease = {"0"};
  all.push_back({Bound::below, std::move(version)});
}

void VersionRange::add(All& all, std::string_view sign, std::string_view text) const {
  const auto version = PartialVersion::parse(text);
  if (!version) refuse(std::string(sign) + std::string(text));
  const bool whole = version->patch.has_value();
  const bool named = !version->prerelease.empty();
  if (sign == ">") {
    // Above 1.2 is from 1.3.0 on; above "*" is nothing.
    const auto end = end_of(*version);
    if (whole) {
      all.push_back({Bound::above, version->lowest(), named});
    } else if (end) {
      all.push_back({Bound::at_least, *end});
    } else {
      add_upper(all, {});
    }
  } else if (sign == "<") {
    if (whole) {
      all.push_back({Bound::below, version->lowest(), named});
    } else {
      add_upper(all, version->lowest());
    }
  } else if (sign == "<=" && whole) {
    all.push_back({Bound::at_most, version->lowest(), named});
  } else {
    if (sign != "<=") add_lower(all, *version);
    auto end = sign == "^" ? caret_end(*version) : end_of(*version);
    if (sign == "~" || sign == "~>") end = tilde_end(*version);
    if (whole && (sign.empty() || sign == "=")) {
      all.push_back({Bound::at_most, version->lowest(), named});
    } else if (end && sign != ">=") {
      add_upper(all, *end);
    }
  }
}

bool VersionRange::holds(const All& all, const SemanticVersion& version) const {
  const auto met = [&version](const Condition& condition) {
    switch (condition.bound) {
      case Bound::at_least:
        return version >= condition.version;
      case Bound::above:
        return version > condition.version;
      case Bound::below:
        return version < condition.version;
      case Bound::at_most:
        return version <= condition.version;
    }
    return false;
  };
  if (!std::ranges::all_of(all, met)) return false;
  if (version.prerelease.empty() || prereleases_) return true;
  return std::ranges::any_of(all, [&version](const Condition& condition) {
    return condition.named && condition.version.same_release(version);
  });
}

bool VersionRange::contains(const SemanticVersion& version) const {
  return std::ranges::any_of(any_, [&](const All& all) { return holds(all, version); });
}

}  // namespace entrepot::replication
