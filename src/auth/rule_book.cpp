#include "auth/rule_book.hpp"

#include <algorithm>
#include <stdexcept>

namespace entrepot::auth {
namespace {

const Group& group_named(const std::vector<Group>& groups, const std::string& name) {
  const auto found = std::ranges::find(groups, name, &Group::name);
  if (found == groups.end()) throw std::runtime_error("there is no group \"" + name + "\"");
  return *found;
}

base::GlobSet globs(const std::vector<std::string>& patterns) {
  try {
    return base::GlobSet(patterns);
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error(error.what());
  }
}

}  // namespace

RuleBook::RuleBook(const std::vector<Rule>& rules, const std::vector<Group>& groups) {
  for (const auto& rule : rules) {
    Line line;
    for (const auto& subject : rule.who) {
      switch (subject.kind) {
        case Subject::Kind::anonymous:
          line.anonymous = true;
          break;
        case Subject::Kind::everyone:
          line.everyone = true;
          break;
        case Subject::Kind::user:
          line.names.insert(subject.name);
          break;
        case Subject::Kind::group: {
          const auto& members = group_named(groups, subject.name).members;
          line.names.insert(members.begin(), members.end());
          break;
        }
      }
    }
    line.all_repositories = std::ranges::find(rule.repositories, "**") != rule.repositories.end();
    line.repositories = globs(rule.repositories);
    line.may = rule.may;
    lines_.push_back(std::move(line));
  }
}

bool RuleBook::Line::speaks_of(std::string_view name) const {
  if (anonymous) return true;
  return !name.empty() && (everyone || names.contains(name));
}

Rights RuleBook::rights(std::string_view name, std::string_view repository) const {
  Rights found;
  for (const auto& line : lines_) {
    if (line.speaks_of(name) && (line.all_repositories || line.repositories.matches(repository))) {
      found = found | line.may;
    }
  }
  return found;
}

Rights RuleBook::rights_anywhere(std::string_view name) const {
  Rights found;
  for (const auto& line : lines_) {
    if (line.speaks_of(name)) found = found | line.may;
  }
  return found;
}

bool RuleBook::administers_all(std::string_view name) const {
  return std::ranges::any_of(lines_, [name](const Line& line) {
    return line.all_repositories && line.speaks_of(name) && line.may.allow(Right::admin);
  });
}

}  // namespace entrepot::auth
