// Everything the operator can say, checked. Made by read_config(), changed by apply_flags(), read
// by wire; nobody below the app sees it. Key by key: config/example.yaml.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
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
#include "entrepot/replication/rule.hpp"
#include "entrepot/transfer/site_key.hpp"
#include "entrepot/upkeep/collector.hpp"
#include "entrepot/upstream/remote.hpp"

namespace entrepot::app {

// remote.name and mirror.name are the same word.
struct UpstreamConfig {
  std::vector<std::string> aliases;
  registry::OfficialImages official_images = registry::OfficialImages::no;
  upstream::RemoteOptions remote;
  mirror::MirrorOptions mirror;
  replication::Limits limits{};

  const std::string& name() const { return remote.name; }
};

// Manifests, of those a registry still allows, that replication leaves to people.
inline constexpr std::uint64_t usual_reserve = 20;

// One of `peers:`.
struct PeerConfig {
  enum class Kind { entrepot, registry } kind = Kind::entrepot;
  upstream::RemoteOptions remote;
  replication::Limits limits{};

  const std::string& name() const { return remote.name; }
};

// `site:`.
struct SiteConfig {
  std::string name{};  // empty: the host's
  std::vector<transfer::TrustedKey> trusted_keys{};
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
  SiteConfig site{};
  std::vector<PeerConfig> peers{};
  std::vector<replication::Rule> rules{};  // `replication:`
};

}  // namespace entrepot::app
