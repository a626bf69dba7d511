#include "app/access_reader.hpp"

#include <algorithm>

#include "app/config_words.hpp"
#include "app/upstream_reader.hpp"

namespace entrepot::app {
namespace {

constexpr std::string_view group_prefix = "group:";
// Longer and a stolen token outlives what was taken from its user; shorter and a pull outlives it.
constexpr std::chrono::milliseconds least_lifetime = std::chrono::minutes(1);
constexpr std::chrono::milliseconds most_lifetime = std::chrono::hours(24);

std::vector<auth::Group> read_groups(YamlSection section) {
  std::vector<auth::Group> groups;
  for (const auto& [name, members] : section.take_rest()) {
    auth::Group group{name, {}};
    for (const auto& member : members.list()) group.members.push_back(member.text());
    groups.push_back(std::move(group));
  }
  return groups;
}

auth::Subject read_subject(const YamlValue& value, const std::vector<auth::Group>& groups) {
  using Kind = auth::Subject::Kind;
  auto word = value.text();
  if (word == "anonymous") return {Kind::anonymous};
  if (word == "everyone") return {Kind::everyone};
  if (!word.starts_with(group_prefix)) return {Kind::user, std::move(word)};
  auto name = word.substr(group_prefix.size());
  const auto known = [&name](const auth::Group& group) { return group.name == name; };
  if (std::ranges::none_of(groups, known)) value.fail("there is no group '" + name + "'");
  return {Kind::group, std::move(name)};
}

auth::Rule read_rule(YamlSection section, const std::vector<auth::Group>& groups) {
  auth::Rule rule;
  for (const auto& value : section.require("who").one_or_more()) {
    rule.who.push_back(read_subject(value, groups));
  }
  rule.repositories = read_globs(section.require("repositories"));
  for (const auto& value : section.require("may").one_or_more()) {
    const auto right = auth::parse_right(value.text());
    if (!right) {
      value.fail("expected pull, create, push, delete or admin, found '" + value.text() + "'");
    }
    rule.may = rule.may | *right;
  }
  section.finish();
  return rule;
}

auth::TokenServer read_tokens(YamlSection section) {
  auth::TokenServer tokens;
  if (const auto value = section.take("service")) tokens.service = value->text();
  if (const auto value = section.take("issuer")) tokens.issuer = value->text();
  if (const auto value = section.take("key")) tokens.key = value->file();
  if (const auto value = section.take("lifetime")) {
    const auto lifetime = value->duration();
    if (lifetime < least_lifetime || lifetime > most_lifetime) {
      value->fail("expected a lifetime from 1m to 24h");
    }
    tokens.lifetime = std::chrono::floor<std::chrono::seconds>(lifetime);
  }
  section.finish();
  return tokens;
}

auth::TrustedIssuer read_issuer(YamlSection section) {
  auth::TrustedIssuer issuer;
  issuer.issuer = section.require("issuer").text();
  issuer.audience = section.require("audience").text();
  issuer.keys = section.require("keys").readable_file();
  if (const auto value = section.take("realm")) {
    issuer.realm = value->text();
    if (const auto fault = fault_of_url(issuer.realm); !fault.empty()) value->fail(fault);
  }
  section.finish();
  return issuer;
}

}  // namespace

AccessConfig read_access(YamlSection section) {
  AccessConfig access;
  if (const auto value = section.take("htpasswd")) access.htpasswd = value->readable_file();
  if (const auto value = section.take("groups")) access.groups = read_groups(value->section());
  if (const auto value = section.take("rules")) {
    access.rules.emplace();
    for (const auto& rule : value->list()) {
      access.rules->push_back(read_rule(rule.section(), access.groups));
    }
  }
  if (const auto value = section.take("tokens")) access.tokens = read_tokens(value->section());
  if (const auto value = section.take("issuers")) {
    for (const auto& issuer : value->list()) {
      access.issuers.push_back(read_issuer(issuer.section()));
    }
  }
  section.finish();
  return access;
}

}  // namespace entrepot::app
