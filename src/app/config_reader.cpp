#include "app/config_reader.hpp"

#include <set>
#include <stdexcept>

#include "app/builtin_upstreams.hpp"
#include "app/config_words.hpp"
#include "app/upstream_reader.hpp"
#include "app/yaml_value.hpp"

namespace entrepot::app {
namespace {

std::string read_address(const YamlValue& value) {
  auto address = value.text();
  if (!is_listen_address(address)) {
    value.fail("expected ADDRESS:PORT or [ADDRESS]:PORT, found '" + address + "'");
  }
  return address;
}

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

void read_listeners(YamlSection& top, Config& config) {
  if (const auto value = top.take("listen")) {
    config.listen.clear();
    for (const auto& item : value->one_or_more()) config.listen.push_back(read_address(item));
  }
  if (const auto value = top.take("admin_listen")) config.admin_listen = read_address(*value);
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

UpstreamConfig upstream_of_flag(const std::string& flag) {
  const auto equals = flag.find('=');
  if (equals == std::string::npos) throw std::invalid_argument("--upstream: expected NAME=URL");
  auto name = flag.substr(0, equals);
  auto url = flag.substr(equals + 1);
  if (!is_upstream_name(name)) {
    throw std::invalid_argument("--upstream: '" + name + "' cannot be an upstream's name");
  }
  if (const auto fault = fault_of_url(url); !fault.empty()) {
    throw std::invalid_argument("--upstream: " + fault);
  }
  return plain_upstream(std::move(name), {std::move(url)});
}

// Flags can name the same host twice; the first one keeps it.
void add_upstream(std::vector<UpstreamConfig>& all, UpstreamConfig one,
                  std::set<std::string>& taken) {
  if (!taken.insert(one.name()).second) {
    throw std::invalid_argument("--upstream: '" + one.name() + "' stands twice");
  }
  std::erase_if(one.aliases, [&](const std::string& alias) { return !taken.insert(alias).second; });
  all.push_back(std::move(one));
}

std::string checked_address(const char* flag, const std::string& address) {
  if (!is_listen_address(address)) {
    throw std::invalid_argument(std::string(flag) + ": expected ADDRESS:PORT, found '" + address +
                                "'");
  }
  return address;
}

void apply_log_flags(Config& config, const Flags& flags) {
  if (flags.log_level) {
    const auto level = parse_level(*flags.log_level);
    if (!level)
      throw std::invalid_argument("--log-level: expected trace, debug, info, warn or error");
    config.log_level = *level;
  }
  if (flags.log_format) {
    const auto format = parse_format(*flags.log_format);
    if (!format) throw std::invalid_argument("--log-format: expected text or json");
    config.log_format = *format;
  }
}

}  // namespace

Config read_config(const std::filesystem::path& file) {
  auto top = read_yaml(file);
  Config config;
  read_listeners(top, config);
  if (const auto value = top.take("data")) config.data = value->text();
  if (const auto value = top.take("threads")) config.threads = value->number(0, 1024);
  if (const auto value = top.take("log")) read_log(value->section(), config);
  if (const auto value = top.take("drain")) config.drain = value->duration();
  if (const auto value = top.take("abandoned_fills")) read_abandoned_fills(*value, config);
  if (const auto value = top.take("local")) config.local = read_globs(*value);
  if (const auto value = top.take("upstreams")) read_upstreams(*value, config);
  top.finish();
  if (config.upstreams.empty()) config.upstreams = builtin_upstreams();
  return config;
}

void apply_flags(Config& config, const Flags& flags) {
  if (!flags.listen.empty()) {
    config.listen.clear();
    for (const auto& text : flags.listen) {
      config.listen.push_back(checked_address("--listen", text));
    }
  }
  if (flags.admin_listen) {
    config.admin_listen = checked_address("--admin-listen", *flags.admin_listen);
  }
  if (flags.data) config.data = *flags.data;
  apply_log_flags(config, flags);
  if (flags.upstreams.empty()) return;
  std::vector<UpstreamConfig> upstreams;
  std::set<std::string> taken;
  for (const auto& flag : flags.upstreams) {
    add_upstream(upstreams, upstream_of_flag(flag), taken);
  }
  config.upstreams = std::move(upstreams);
}

Config load_config(const Flags& flags) {
  Config config;
  if (flags.config) {
    config = read_config(*flags.config);
  } else {
    config.upstreams = builtin_upstreams();
  }
  apply_flags(config, flags);
  return config;
}

}  // namespace entrepot::app
