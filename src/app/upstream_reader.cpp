#include "app/upstream_reader.hpp"

#include "app/builtin_upstreams.hpp"
#include "app/config_words.hpp"
#include "app/remote_reader.hpp"
#include "entrepot/base/glob.hpp"

namespace entrepot::app {
namespace {

std::vector<std::string> read_aliases(const YamlValue& list, const std::string& name,
                                      std::set<std::string>& taken) {
  std::vector<std::string> aliases;
  for (const auto& value : list.list()) {
    auto alias = value.text();
    if (!is_alias(alias)) value.fail("expected a host in lower case, found '" + alias + "'");
    if (alias == name) continue;
    if (!taken.insert(alias).second) value.fail("'" + alias + "' names an upstream already");
    aliases.push_back(std::move(alias));
  }
  return aliases;
}

// Without `aliases` the hosts of the URLs, except those another entry has.
void imply_aliases(UpstreamConfig& config, std::set<std::string>& taken) {
  for (auto& alias : implied_aliases(config.remote.urls)) {
    if (alias != config.name() && taken.insert(alias).second) {
      config.aliases.push_back(std::move(alias));
    }
  }
}

void read_freshness(YamlSection section, mirror::FreshnessRule& rule) {
  if (const auto value = section.take("fresh")) rule.fresh = value->duration();
  if (const auto value = section.take("stale_while_revalidate")) {
    rule.stale_while_revalidate = value->duration();
  }
  if (const auto value = section.take("stale_if_error")) rule.stale_if_error = value->duration();
  if (const auto value = section.take("negative")) rule.negative = value->duration();
  section.finish();
}

void read_mirroring(YamlSection& section, mirror::MirrorOptions& options) {
  if (const auto value = section.take("freshness")) {
    read_freshness(value->section(), options.freshness);
  }
  if (const auto value = section.take("offline"); value && value->boolean()) {
    options.asking = mirror::Asking::never;
  }
  if (const auto value = section.take("refuse_rollback"); value && value->boolean()) {
    options.rollback = mirror::Rollback::refused;
  }
  if (const auto value = section.take("pinned")) options.pinned = read_globs(*value);
}

}  // namespace

std::vector<std::string> read_globs(const YamlValue& list) {
  std::vector<std::string> globs;
  for (const auto& value : list.list()) {
    globs.push_back(value.text());
    try {
      base::GlobSet({globs.back()});
    } catch (const std::invalid_argument& error) {
      value.fail(error.what());
    }
  }
  return globs;
}

UpstreamConfig read_upstream(const YamlValue& value, std::set<std::string>& taken) {
  auto section = value.section();
  UpstreamConfig config;
  const auto name = section.require("name");
  config.remote.name = config.mirror.name = name.text();
  if (!is_upstream_name(config.name())) {
    name.fail("expected lower-case letters, digits, '.', '_' or '-', found '" + config.name() +
              "'");
  }
  if (!taken.insert(config.name()).second) {
    name.fail("'" + config.name() + "' names an upstream already");
  }
  read_urls(section, config.remote);
  if (const auto aliases = section.take("aliases")) {
    config.aliases = read_aliases(*aliases, config.name(), taken);
  } else {
    imply_aliases(config, taken);
  }
  config.official_images = implied_official_images(config.aliases);
  if (const auto library = section.take("library")) {
    config.official_images =
        library->boolean() ? registry::OfficialImages::yes : registry::OfficialImages::no;
  }
  read_account(section, config.remote);
  read_network(section, config.remote);
  config.limits = read_replication_limits(section, config.remote);
  read_mirroring(section, config.mirror);
  section.finish();
  return config;
}

}  // namespace entrepot::app
