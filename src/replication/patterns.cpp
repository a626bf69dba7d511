#include "replication/patterns.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <variant>

namespace entrepot::replication {

class Expressions {
 public:
  void add(const std::string& pattern) {
    RE2::Options options(RE2::Latin1);
    options.set_log_errors(false);
    options.set_never_capture(true);
    options.set_max_mem(1 << 20);
    auto expression = std::make_unique<const RE2>(pattern, options);
    if (!expression->ok()) {
      throw std::invalid_argument("regular expression \"" + pattern + "\": " + expression->error());
    }
    all_.push_back(std::move(expression));
  }

  bool match(std::string_view name) const {
    return std::ranges::any_of(all_, [name](const auto& expression) {
      return RE2::FullMatch({name.data(), name.size()}, *expression);
    });
  }

 private:
  std::vector<std::unique_ptr<const RE2>> all_;
};

namespace {

// What the patterns of any rule are taken apart into.
struct Parts {
  std::vector<std::string> globs;
  Expressions expressions;
  std::vector<VersionRange> ranges;

  void operator()(const Glob& glob) { globs.push_back(glob.pattern); }
  void operator()(const Regex& regex) { expressions.add(regex.pattern); }
  void operator()(const SemverRange& range) { ranges.emplace_back(range.range, range.prereleases); }
};

template <class Pattern>
Parts take_apart(const std::vector<Pattern>& patterns) {
  Parts parts;
  for (const auto& pattern : patterns) std::visit(parts, pattern);
  return parts;
}

std::optional<std::vector<oci::RepositoryName>> plain_names(const std::vector<std::string>& globs) {
  std::vector<oci::RepositoryName> names;
  for (const auto& glob : globs) {
    if (glob.find_first_of("*?") != glob.npos) return std::nullopt;
    auto name = oci::RepositoryName::parse(glob);
    if (!name) throw std::invalid_argument("\"" + glob + "\" is no name of a repository");
    names.push_back(std::move(*name));
  }
  return names;
}

}  // namespace

NameFilter::NameFilter(const std::vector<NamePattern>& patterns) {
  auto parts = take_apart(patterns);
  if (parts.globs.size() == patterns.size()) {
    plain_ = plain_names(parts.globs);
    globs_ = parts.globs;
  }
  set_ = base::GlobSet(parts.globs);
  expressions_ = std::make_unique<const Expressions>(std::move(parts.expressions));
}

NameFilter::~NameFilter() = default;
NameFilter::NameFilter(NameFilter&&) noexcept = default;

bool NameFilter::matches(const oci::RepositoryName& name) const {
  return set_.matches(name.text()) || expressions_->match(name.text());
}

TagFilter::TagFilter(const std::vector<TagPattern>& patterns) {
  auto parts = take_apart(patterns);
  everything_ = std::ranges::any_of(
      parts.globs, [](const std::string& glob) { return glob == "*" || glob == "**"; });
  set_ = base::GlobSet(parts.globs);
  ranges_ = std::move(parts.ranges);
  expressions_ = std::make_unique<const Expressions>(std::move(parts.expressions));
}

TagFilter::~TagFilter() = default;
TagFilter::TagFilter(TagFilter&&) noexcept = default;

bool TagFilter::matches(const oci::Tag& tag) const {
  if (set_.matches(tag.text()) || expressions_->match(tag.text())) return true;
  if (ranges_.empty()) return false;
  const auto version = SemanticVersion::parse(tag.text());
  return version && std::ranges::any_of(ranges_, [&version](const VersionRange& range) {
           return range.contains(*version);
         });
}

}  // namespace entrepot::replication
