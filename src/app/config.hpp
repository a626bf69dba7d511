// Everything the operator can say, checked. Made by read_config(), changed by apply_flags(), read
// by wire; nobody below the app sees it. Key by key: config/example.yaml.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/auth/gate.hpp"
#include "entrepot/base/log.hpp"
#include "entrepot/http/server.hpp"
#include "entrepot/mirror/mirror.hpp"
#include "entrepot/notify/notifier.hpp"
#include "entrepot/registry/directory.hpp"
#include "entrepot/registry/policy.hpp"
#include "entrepot/upkeep/collector.hpp"
#include "entrepot/upstream/remote.hpp"

namespace entrepot::app {

// remote.name and mirror.name are the same word.
struct UpstreamConfig {
  std::vector<std::string> aliases;
  registry::OfficialImages official_images = registry::OfficialImages::no;
  upstream::RemoteOptions remote;
  mirror::MirrorOptions mirror;

  const std::string& name() const { return remote.name; }
};

struct ListenerConfig {
  std::string address;
  std::optional<http::TlsOptions> tls{};
};

// `access:` as written; what follows from it: gate_options().
struct AccessConfig {
  std::optional<std::string> htpasswd{};
  std::vector<auth::Group> groups{};
  std::optional<std::vector<auth::Rule>> rules{};  // absent: nothing was said
  auth::TokenServer tokens{};                      // realm and what was left out: empty
  std::vector<auth::TrustedIssuer> issuers{};
};

enum class ReadOnly { no, yes };

// The policy sections: `registry:`.
struct RegistryConfig {
  registry::PolicyOptions policy{};
  ReadOnly read_only = ReadOnly::no;  // at the start; switched while running
};

// `collect:` and `history:`.
struct CollectConfig {
  std::chrono::milliseconds every{std::chrono::hours(24)};  // 0: only when somebody asks for it
  std::chrono::milliseconds lease{std::chrono::hours(1)};
  upkeep::CollectorOptions options{};
};

struct Config {
  std::vector<ListenerConfig> listen{{"127.0.0.1:5000"}};
  std::optional<std::string> admin_listen{};
  std::optional<std::string> external_url{};  // without a '/' at its end
  http::TrustedProxies trusted_proxies{};
  std::filesystem::path data = "/var/lib/entrepot";
  std::size_t threads = 0;  // 0: one a core
  base::log::Level log_level = base::log::Level::info;
  base::log::Format log_format = base::log::Format::text;
  std::chrono::milliseconds drain{30'000};
  mirror::AbandonedFill abandoned_fills = mirror::AbandonedFill::finish;
  std::vector<std::string> local{};         // globs
  std::vector<UpstreamConfig> upstreams{};  // the first is the default; never empty after reading
  AccessConfig access{};
  RegistryConfig registry{};
  CollectConfig collect{};
  std::vector<notify::Receiver> receivers{};
};

}  // namespace entrepot::app
