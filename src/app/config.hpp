// Everything the operator can say, checked. Made by read_config(), changed by apply_flags(), read
// by wire; nobody below the app sees it. Key by key: config/example.yaml.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/base/log.hpp"
#include "entrepot/mirror/mirror.hpp"
#include "entrepot/registry/directory.hpp"
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

struct Config {
  std::vector<std::string> listen{"127.0.0.1:5000"};
  std::optional<std::string> admin_listen;
  std::filesystem::path data = "/var/lib/entrepot";
  std::size_t threads = 0;  // 0: one a core
  base::log::Level log_level = base::log::Level::info;
  base::log::Format log_format = base::log::Format::text;
  std::chrono::milliseconds drain{30'000};
  mirror::AbandonedFill abandoned_fills = mirror::AbandonedFill::finish;
  std::vector<std::string> local;         // globs
  std::vector<UpstreamConfig> upstreams;  // the first is the default; never empty after reading
};

}  // namespace entrepot::app
