#include "app/upstream_reader.hpp"

#include "app/builtin_upstreams.hpp"
#include "app/config_words.hpp"
#include "entrepot/base/glob.hpp"

namespace entrepot::app {
namespace {

void read_urls(YamlSection& section, UpstreamConfig& config) {
  for (const auto& value : section.require("urls").one_or_more()) {
    auto url = value.text();
    if (const auto fault = fault_of_url(url); !fault.empty()) value.fail(fault);
    config.remote.urls.push_back(std::move(url));
  }
}

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

void read_account(YamlSection& section, upstream::RemoteOptions& remote) {
  const auto username = section.take("username");
  const auto password_file = section.take("password_file");
  const auto docker_config = section.take("docker_config");
  if (username) remote.username = username->text();
  if (password_file) remote.password_file = password_file->readable_file();
  if (docker_config) remote.docker_config = docker_config->readable_file();
  if (username && !password_file) username->fail("username needs a password_file");
  if (password_file && !username) password_file->fail("password_file needs a username");
  if (username && docker_config) docker_config->fail("docker_config beside username: give one");
  if (const auto realms = section.take("trusted_realms")) {
    for (const auto& value : realms->list()) {
      auto realm = value.text();
      if (const auto fault = fault_of_url(realm); !fault.empty()) value.fail(fault);
      remote.trusted_realms.push_back(std::move(realm));
    }
  }
}

void read_tls(YamlSection& section, http::Transport& transport) {
  if (const auto value = section.take("ca")) transport.ca_file = value->readable_file();
  const auto certificate = section.take("client_certificate");
  const auto key = section.take("client_key");
  if (certificate) transport.client_certificate = certificate->readable_file();
  if (key) transport.client_key = key->readable_file();
  if (key && !certificate) key->fail("client_key needs a client_certificate");
}

void read_proxy(YamlSection& section, http::Transport& transport) {
  if (const auto value = section.take("proxy")) {
    transport.proxy = value->text();
    if (const auto fault = fault_of_url(transport.proxy); !fault.empty()) value->fail(fault);
  }
  if (const auto value = section.take("no_proxy")) transport.no_proxy = value->text();
}

void read_timeouts(YamlSection section, http::Transport& transport) {
  if (const auto value = section.take("connect")) transport.connect = value->duration();
  if (const auto value = section.take("first_byte")) transport.first_byte = value->duration();
  if (const auto value = section.take("idle")) transport.idle = value->duration();
  if (const auto value = section.take("total")) transport.total = value->duration();
  section.finish();
}

void read_network(YamlSection& section, upstream::RemoteOptions& remote) {
  read_tls(section, remote.transport);
  read_proxy(section, remote.transport);
  if (const auto value = section.take("http2"); value && value->boolean()) {
    remote.transport.version = http::HttpVersion::http2;
  }
  if (const auto value = section.take("private_network"); value && value->boolean()) {
    remote.private_network = upstream::PrivateNetwork::allowed;
  }
  if (const auto value = section.take("timeouts")) {
    read_timeouts(value->section(), remote.transport);
  }
  if (const auto value = section.take("retries")) {
    remote.retries = static_cast<unsigned>(value->number(0, 20));
  }
  if (const auto value = section.take("concurrency")) remote.concurrency = value->number(1, 10'000);
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
  read_urls(section, config);
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
  read_mirroring(section, config.mirror);
  section.finish();
  return config;
}

}  // namespace entrepot::app
