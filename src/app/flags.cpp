#include "app/flags.hpp"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "app/access.hpp"
#include "app/builtin_upstreams.hpp"
#include "app/config_reader.hpp"
#include "app/config_words.hpp"
#include "app/listener_reader.hpp"
#include "app/rule_reader.hpp"

namespace entrepot::app {
namespace {

[[noreturn]] void fail(const char* flag, const std::string& sentence) {
  throw std::invalid_argument(std::string(flag) + ": " + sentence);
}

UpstreamConfig upstream_of_flag(const std::string& flag) {
  const auto equals = flag.find('=');
  if (equals == std::string::npos) fail("--upstream", "expected NAME=URL");
  auto name = flag.substr(0, equals);
  auto url = flag.substr(equals + 1);
  if (!is_upstream_name(name)) fail("--upstream", "'" + name + "' cannot be an upstream's name");
  if (const auto fault = fault_of_url(url); !fault.empty()) fail("--upstream", fault);
  return plain_upstream(std::move(name), {std::move(url)});
}

// Flags can name the same host twice; the first one keeps it.
void add_upstream(std::vector<UpstreamConfig>& all, UpstreamConfig one,
                  std::set<std::string>& taken) {
  if (!taken.insert(one.name()).second) fail("--upstream", "'" + one.name() + "' stands twice");
  std::erase_if(one.aliases, [&](const std::string& alias) { return !taken.insert(alias).second; });
  all.push_back(std::move(one));
}

void apply_upstream_flags(Config& config, const Flags& flags) {
  if (flags.upstreams.empty()) return;
  std::vector<UpstreamConfig> upstreams;
  std::set<std::string> taken;
  for (const auto& flag : flags.upstreams) {
    add_upstream(upstreams, upstream_of_flag(flag), taken);
  }
  config.upstreams = std::move(upstreams);
  for (const auto& peer : config.peers) {
    if (taken.contains(peer.name())) fail("--upstream", "'" + peer.name() + "' names a peer");
  }
  for (const auto& rule : config.rules) {
    const auto fault = fault_of_places(rule, config);
    if (!fault.empty()) fail("--upstream", "rule " + rule.name + ": " + fault);
  }
}

std::string checked_address(const char* flag, const std::string& address) {
  if (!is_listen_address(address)) {
    fail(flag, "expected ADDRESS:PORT or unix:/PATH, found '" + address + "'");
  }
  return address;
}

std::string checked_file(const char* flag, const std::string& file) {
  std::error_code ec;
  if (!std::filesystem::is_regular_file(file, ec)) fail(flag, "no such file: " + file);
  if (::access(file.c_str(), R_OK) != 0) fail(flag, "cannot be read: " + file);
  return file;
}

void apply_tls_flags(Config& config, const Flags& flags) {
  if (!flags.tls_certificate && !flags.tls_key) return;
  if (!flags.tls_key) fail("--tls-certificate", "needs --tls-key");
  if (!flags.tls_certificate) fail("--tls-key", "needs --tls-certificate");
  const http::TlsOptions tls{checked_file("--tls-certificate", *flags.tls_certificate),
                             checked_file("--tls-key", *flags.tls_key),
                             {}};
  for (auto& listener : config.listen) {
    if (!is_unix_address(listener.address) && !listener.tls) listener.tls = tls;
  }
}

void apply_listen_flags(Config& config, const Flags& flags) {
  if (!flags.listen.empty()) {
    config.listen.clear();
    for (const auto& text : flags.listen) {
      config.listen.push_back({checked_address("--listen", text)});
    }
  }
  if (flags.admin_listen) {
    config.admin_listen = checked_address("--admin-listen", *flags.admin_listen);
  }
  if (flags.external_url) {
    try {
      config.external_url = checked_external_url(*flags.external_url);
    } catch (const std::invalid_argument& error) {
      fail("--external-url", error.what());
    }
  }
  apply_tls_flags(config, flags);
}

void apply_access_flags(Config& config, const Flags& flags) {
  if (flags.htpasswd) config.access.htpasswd = checked_file("--htpasswd", *flags.htpasswd);
  if (flags.open == OpenToAll::no) return;
  // Rules somebody wrote with care are not thrown open by a word on the command line.
  if (config.access.rules || config.access.htpasswd) {
    fail("--open", "there are users or rules already");
  }
  config.access.rules = open_rules();
}

void apply_log_flags(Config& config, const Flags& flags) {
  if (flags.log_level) {
    const auto level = parse_level(*flags.log_level);
    if (!level) fail("--log-level", "expected trace, debug, info, warn or error");
    config.log_level = *level;
  }
  if (flags.log_format) {
    const auto format = parse_format(*flags.log_format);
    if (!format) fail("--log-format", "expected text or json");
    config.log_format = *format;
  }
}

}  // namespace

void apply_flags(Config& config, const Flags& flags) {
  apply_listen_flags(config, flags);
  apply_access_flags(config, flags);
  if (flags.data) config.data = *flags.data;
  apply_log_flags(config, flags);
  apply_upstream_flags(config, flags);
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
