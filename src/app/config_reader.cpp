#include "app/config_reader.hpp"

#include <set>

#include "app/access_reader.hpp"
#include "app/builtin_upstreams.hpp"
#include "app/config_words.hpp"
#include "app/listener_reader.hpp"
#include "app/peer_reader.hpp"
#include "app/receiver_reader.hpp"
#include "app/registry_reader.hpp"
#include "app/rule_reader.hpp"
#include "app/upstream_reader.hpp"
#include "app/yaml_value.hpp"

namespace entrepot::app {
namespace {

void read_log(YamlSection section, Config& config) {
  if (const auto value = section.take("level")) {
    const auto level = parse_level(value->text());
    if (!level) value->fail("expected trace, debug, info, warn or error");
    config.log_level = *level;
  }
  if (const auto value = section.take("format")) {
    const auto format = parse_format(value->text());
    if (!format) value->fail("expected text or json");
    config.log_format = *format;
  }
  section.finish();
}

void read_abandoned_fills(const YamlValue& value, Config& config) {
  const auto word = value.text();
  if (word == "finish") {
    config.abandoned_fills = mirror::AbandonedFill::finish;
  } else if (word == "economical") {
    config.abandoned_fills = mirror::AbandonedFill::economical;
  } else {
    value.fail("expected finish or economical, found '" + word + "'");
  }
}

void read_upstreams(const YamlValue& list, Config& config) {
  std::set<std::string> taken;
  for (const auto& value : list.list()) config.upstreams.push_back(read_upstream(value, taken));
  if (config.upstreams.empty()) list.fail("expected at least one upstream");
}

void read_receivers(const YamlValue& list, Config& config) {
  std::set<std::string> taken;
  for (const auto& value : list.list()) config.receivers.push_back(read_receiver(value, taken));
}

// After the upstreams, whose names rules use beside those of peers.
void read_replication(YamlSection& top, Config& config) {
  if (const auto value = top.take("site")) config.site = read_site(value->section());
  std::set<std::string> places{replication::here, replication::in_bundles};
  for (const auto& upstream : config.upstreams) places.insert(upstream.name());
  if (const auto value = top.take("peers")) {
    for (const auto& entry : value->list()) config.peers.push_back(read_peer(entry, places));
  }
  std::set<std::string> rules;
  if (const auto value = top.take("replication")) {
    for (const auto& entry : value->list()) {
      config.rules.push_back(read_rule(entry, config, rules));
    }
  }
}

void read_process(YamlSection& top, Config& config) {
  if (const auto value = top.take("data")) config.data = value->text();
  if (const auto value = top.take("threads")) config.threads = value->number(0, 1024);
  if (const auto value = top.take("log")) read_log(value->section(), config);
  if (const auto value = top.take("drain")) config.drain = value->duration();
}

void read_own_repositories(YamlSection& top, Config& config) {
  if (const auto value = top.take("access")) config.access = read_access(value->section());
  if (const auto value = top.take("registry")) config.registry = read_registry(value->section());
  if (const auto value = top.take("history")) read_history(value->section(), config.collect);
  if (const auto value = top.take("collect")) read_collect(value->section(), config.collect);
  if (const auto value = top.take("notifications")) read_receivers(*value, config);
}

Config read(YamlSection top) {
  if (const auto version = top.take("version")) {
    version->fail("this is the configuration of another registry: example.yaml shows ours");
  }
  Config config;
  read_listeners(top, config);
  read_process(top, config);
  if (const auto value = top.take("abandoned_fills")) read_abandoned_fills(*value, config);
  if (const auto value = top.take("local")) config.local = read_globs(*value);
  if (const auto value = top.take("upstreams")) read_upstreams(*value, config);
  if (config.upstreams.empty()) config.upstreams = builtin_upstreams();
  read_own_repositories(top, config);
  read_replication(top, config);
  top.finish();
  return config;
}

}  // namespace

Config read_config(const std::filesystem::path& file) { return read(read_yaml(file)); }

Config parse_config(const std::string& text, const std::filesystem::path& file) {
  return read(parse_yaml(text, file));
}

}  // namespace entrepot::app
