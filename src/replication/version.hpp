// Semantic versions (semver.org 2.0.0), read from tags as people write them.
//
// Tolerated beyond the specification: a "v" in front; parts left out (1.2 and 1 mean 1.2.0 and
// 1.0.0); leading zeros (2024.01.15); build metadata after "_" too, for a tag cannot hold "+". So
// "1.2.3-alpine" is a prerelease of 1.2.3: ranges leave it out unless they ask for prereleases.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot::replication {

struct SemanticVersion {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t patch = 0;
  std::vector<std::string> prerelease{};  // empty: a release

  // Absent when `text` is no version.
  static std::optional<SemanticVersion> parse(std::string_view text);

  bool same_release(const SemanticVersion& other) const {
    return major == other.major && minor == other.minor && patch == other.patch;
  }
};

// Precedence (section 11): build metadata does not count.
std::strong_ordering operator<=>(const SemanticVersion& a, const SemanticVersion& b);
inline bool operator==(const SemanticVersion& a, const SemanticVersion& b) {
  return (a <=> b) == 0;
}

// A version whose parts may be left out or be x, X or *: "1", "1.x", "1.2.*", "*".
struct PartialVersion {
  std::optional<std::uint64_t> major{};
  std::optional<std::uint64_t> minor{};   // absent when `major` is
  std::optional<std::uint64_t> patch{};   // absent when `minor` is
  std::vector<std::string> prerelease{};  // of a whole version only

  static std::optional<PartialVersion> parse(std::string_view text);
  SemanticVersion lowest() const;
};

}  // namespace entrepot::replication
