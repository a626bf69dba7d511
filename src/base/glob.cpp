#include "entrepot/base/glob.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <stdexcept>

namespace entrepot::base {

struct GlobSet::Patterns {
  Patterns(const std::string& expression, const RE2::Options& options)
      : expression(expression, options) {}
  RE2 expression;
};

namespace {

[[noreturn]] void refuse(const std::string& pattern, const char* why) {
  throw std::invalid_argument("pattern \"" + pattern + "\": " + why);
}

std::string translate(const std::string& pattern) {
  const auto odd = [](char c) { return c <= ' ' || c > '~'; };
  if (pattern.empty()) refuse(pattern, "is empty");
  if (std::ranges::any_of(pattern, odd)) refuse(pattern, "only printable ASCII is allowed");
  if (pattern.find("***") != pattern.npos) refuse(pattern, "more than two stars in a row");

  std::string expression;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern.compare(i, 2, "**") == 0) {
      expression += ".*";
      ++i;
    } else if (pattern[i] == '*') {
      expression += "[^/]*";
    } else if (pattern[i] == '?') {
      expression += "[^/]";
    } else {
      expression += RE2::QuoteMeta(pattern.substr(i, 1));
    }
  }
  return expression;
}

}  // namespace

GlobSet::GlobSet() = default;
GlobSet::~GlobSet() = default;
GlobSet::GlobSet(GlobSet&&) noexcept = default;
GlobSet& GlobSet::operator=(GlobSet&&) noexcept = default;

GlobSet::GlobSet(const std::vector<std::string>& patterns) {
  if (patterns.empty()) return;
  std::string all;
  for (const auto& pattern : patterns) {
    all += all.empty() ? "(?:" : "|";
    all += translate(pattern);
  }
  RE2::Options options(RE2::Latin1);
  options.set_dot_nl(true);
  options.set_never_capture(true);
  options.set_log_errors(false);
  patterns_ = std::make_unique<Patterns>(all + ")", options);
  if (!patterns_->expression.ok()) refuse(patterns.front(), "and those after it are too many");
}

bool GlobSet::matches(std::string_view name) const {
  return patterns_ && RE2::FullMatch({name.data(), name.size()}, patterns_->expression);
}

bool GlobSet::empty() const { return !patterns_; }

}  // namespace entrepot::base
