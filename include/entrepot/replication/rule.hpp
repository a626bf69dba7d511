// What is to be kept in step: a rule of the configuration, read by the app, obeyed by Replicator.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace entrepot::replication {

// "here", or the name of a peer or an upstream of the configuration.
inline constexpr const char* here = "here";
// As `to` of a rule that says what goes into bundles, and is never run.
inline constexpr const char* in_bundles = "bundle";

struct Glob {
  std::string pattern;
  bool operator==(const Glob&) const = default;
};
struct Regex {
  std::string pattern;  // RE2, the whole name
  bool operator==(const Regex&) const = default;
};
struct SemverRange {
  std::string range;  // ">=1.2 <2", "^1.4", "~1.4.2", "1.x", joined by "||"
  bool prereleases = false;
  bool operator==(const SemverRange&) const = default;
};
struct Newest {
  std::size_t count = 0;  // the newest N of what the other patterns let through: by semantic
                          // version where tags are versions, else by name in natural order
  bool operator==(const Newest&) const = default;
};
// Of tags that were pulled here lately; for warming.
struct PulledWithin {
  std::chrono::milliseconds time{};
  bool operator==(const PulledWithin&) const = default;
};
using NamePattern = std::variant<Glob, Regex>;
using TagPattern = std::variant<Glob, Regex, SemverRange>;

// The peer's Journal; entrepot sites only.
struct Follow {
  bool operator==(const Follow&) const = default;
};
struct Every {
  std::chrono::milliseconds interval{};
  bool operator==(const Every&) const = default;
};
struct Cron {
  std::string expression;  // five fields, local time
  bool operator==(const Cron&) const = default;
};
// `entrepot sync` only.
struct OnDemand {
  bool operator==(const OnDemand&) const = default;
};
using Trigger = std::variant<Follow, Every, Cron, OnDemand>;

// Local time, minutes of the day; may pass midnight. days: bit 0 is Sunday; 0x7f every day.
struct Window {
  unsigned from = 0;
  unsigned to = 0;
  unsigned days = 0x7f;
  bool operator==(const Window&) const = default;
};

enum class Deletions {
  keep,    // nothing is deleted at the target
  follow,  // what was deleted at the source, and came from there
  exact,   // every tag the rule's patterns mean and it would not bring now: also what is not among
           // the newest any more
};
// Who wins when both sides changed a tag.
enum class Conflict { newest, source, target };

struct Limits {
  std::optional<std::uint64_t> bytes_per_second{};
  std::optional<std::uint64_t> requests_per_second{};
  bool operator==(const Limits&) const = default;
};

struct Rule {
  std::string name;
  std::string from = here;
  std::string to = here;
  std::vector<NamePattern> repositories{Glob{"**"}};
  std::vector<NamePattern> without_repositories{};
  std::vector<TagPattern> tags{Glob{"*"}};
  std::vector<TagPattern> without_tags{};
  std::optional<Newest> newest{};
  std::optional<PulledWithin> pulled_within{};
  std::vector<std::string> platforms{};  // empty: all
  bool referrers = true;
  std::string rename =
      "{repository}";  // {repository}, {name} (last component), {path} (the others)
  Trigger when = OnDemand{};
  std::vector<Window> windows{};  // none: always
  Limits limits{};
  Deletions deletions = Deletions::keep;
  Conflict conflict = Conflict::newest;
  bool operator==(const Rule&) const = default;
};

// Throws std::invalid_argument with a sentence for the operator when no daemon could obey it.
void check(const Rule& rule);

// "22:00-06:00", "mon-fri 22:00-06:00", "sat,sun 00:00-24:00"; throws std::invalid_argument.
Window parse_window(std::string_view text);

}  // namespace entrepot::replication
