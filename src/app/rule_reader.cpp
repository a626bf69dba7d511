#include "app/rule_reader.hpp"

#include <algorithm>
#include <stdexcept>

#include "app/remote_reader.hpp"

namespace entrepot::app {
namespace {

using replication::Rule;

constexpr std::uint64_t most_tags = 1'000'000'000;

// "a*" is a glob; {regex: ...} names another kind.
replication::NamePattern read_name_pattern(const YamlValue& value) {
  if (value.is_scalar()) return replication::Glob{value.text()};
  auto section = value.section();
  replication::Regex regex{section.require("regex").text()};
  section.finish();
  return regex;
}

replication::TagPattern read_tag_pattern(const YamlValue& value) {
  if (value.is_scalar()) return replication::Glob{value.text()};
  auto section = value.section();
  if (const auto regex = section.take("regex")) {
    replication::Regex pattern{regex->text()};
    section.finish();
    return pattern;
  }
  replication::SemverRange range{section.require("semver").text()};
  if (const auto prereleases = section.take("prereleases")) {
    range.prereleases = prereleases->boolean();
  }
  section.finish();
  return range;
}

template <class Pattern>
std::vector<Pattern> read_patterns(const YamlValue& value,
                                   Pattern (*read)(const YamlValue& value)) {
  std::vector<Pattern> patterns;
  for (const auto& item : value.one_or_more()) patterns.push_back(read(item));
  return patterns;
}

void read_without(YamlSection section, Rule& rule) {
  if (const auto value = section.take("repositories")) {
    rule.without_repositories = read_patterns(*value, read_name_pattern);
  }
  if (const auto value = section.take("tags")) {
    rule.without_tags = read_patterns(*value, read_tag_pattern);
  }
  section.finish();
}

replication::Trigger read_trigger(const YamlValue& value) {
  if (value.is_scalar()) {
    const auto word = value.text();
    if (word == "follow") return replication::Follow{};
    if (word == "on-demand") return replication::OnDemand{};
    value.fail("expected follow, on-demand, {every: TIME} or {cron: EXPRESSION}, found '" + word +
               "'");
  }
  auto section = value.section();
  replication::Trigger trigger;
  if (const auto every = section.take("every")) {
    trigger = replication::Every{every->duration()};
  } else {
    trigger = replication::Cron{section.require("cron").text()};
  }
  section.finish();
  return trigger;
}

replication::Window read_window(const YamlValue& value) {
  try {
    return replication::parse_window(value.text());
  } catch (const std::invalid_argument& error) {
    value.fail(error.what());
  }
}

replication::Deletions read_deletions(const YamlValue& value) {
  using enum replication::Deletions;
  const auto word = value.text();
  if (word == "keep") return keep;
  if (word == "follow") return follow;
  if (word == "exact") return exact;
  value.fail("expected keep, follow or exact, found '" + word + "'");
}

replication::Conflict read_conflict(const YamlValue& value) {
  using enum replication::Conflict;
  const auto word = value.text();
  if (word == "newest") return newest;
  if (word == "source") return source;
  if (word == "target") return target;
  value.fail("expected newest, source or target, found '" + word + "'");
}

void read_content(YamlSection& section, Rule& rule) {
  if (const auto value = section.take("repositories")) {
    rule.repositories = read_patterns(*value, read_name_pattern);
  }
  if (const auto value = section.take("tags")) rule.tags = read_patterns(*value, read_tag_pattern);
  if (const auto value = section.take("without")) read_without(value->section(), rule);
  if (const auto value = section.take("newest")) {
    rule.newest = replication::Newest{value->number(1, most_tags)};
  }
  if (const auto value = section.take("pulled_within")) {
    rule.pulled_within = replication::PulledWithin{value->duration()};
  }
  if (const auto value = section.take("platforms")) {
    for (const auto& item : value->one_or_more()) rule.platforms.push_back(item.text());
  }
  if (const auto value = section.take("referrers")) rule.referrers = value->boolean();
  if (const auto value = section.take("rename")) rule.rename = value->text();
}

void read_manner(YamlSection& section, Rule& rule) {
  if (const auto value = section.take("when")) rule.when = read_trigger(*value);
  if (const auto value = section.take("windows")) {
    for (const auto& item : value->one_or_more()) rule.windows.push_back(read_window(item));
  }
  if (const auto value = section.take("limits")) rule.limits = read_limits(value->section());
  if (const auto value = section.take("deletions")) rule.deletions = read_deletions(*value);
  if (const auto value = section.take("conflict")) rule.conflict = read_conflict(*value);
}

const PeerConfig* peer_of(const std::string& name, const Config& config) {
  const auto found = std::ranges::find(config.peers, name, &PeerConfig::name);
  return found == config.peers.end() ? nullptr : &*found;
}

bool is_upstream(const std::string& name, const Config& config) {
  return std::ranges::find(config.upstreams, name, &UpstreamConfig::name) != config.upstreams.end();
}

}  // namespace

std::string fault_of_places(const Rule& rule, const Config& config) {
  for (const auto* name : {&rule.from, &rule.to}) {
    if (*name != replication::here && *name != replication::in_bundles && !peer_of(*name, config) &&
        !is_upstream(*name, config)) {
      return "'" + *name + "' is neither a peer nor an upstream, here or bundle";
    }
  }
  const auto* source = peer_of(rule.from, config);
  const bool site = source && source->kind == PeerConfig::Kind::entrepot;
  if (std::holds_alternative<replication::Follow>(rule.when) && !site) {
    return "only a peer of kind entrepot can be followed";
  }
  if (rule.pulled_within && !is_upstream(rule.from, config)) {
    return "tags that were pulled lately are fetched again from an upstream";
  }
  return {};
}

Rule read_rule(const YamlValue& value, const Config& config, std::set<std::string>& taken) {
  auto section = value.section();
  Rule rule;
  const auto name = section.require("name");
  rule.name = name.text();
  if (!taken.insert(rule.name).second) name.fail("'" + rule.name + "' names a rule already");
  if (const auto from = section.take("from")) rule.from = from->text();
  if (const auto to = section.take("to")) rule.to = to->text();
  read_content(section, rule);
  read_manner(section, rule);
  section.finish();
  try {
    replication::check(rule);
  } catch (const std::invalid_argument& error) {
    value.fail(error.what());
  }
  if (const auto fault = fault_of_places(rule, config); !fault.empty()) value.fail(fault);
  return rule;
}

}  // namespace entrepot::app
