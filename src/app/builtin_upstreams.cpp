#include "app/builtin_upstreams.hpp"

#include <algorithm>
#include <array>

#include "entrepot/http/url.hpp"

namespace entrepot::app {
namespace {

constexpr std::array<std::string_view, 3> docker_hub{"docker.io", "registry-1.docker.io",
                                                     "index.docker.io"};
constexpr std::array<std::string_view, 6> public_registries{
    "ghcr.io", "quay.io", "gcr.io", "registry.k8s.io", "mcr.microsoft.com", "public.ecr.aws"};

void add_once(std::vector<std::string>& list, std::string_view word) {
  if (std::ranges::find(list, word) == list.end()) list.emplace_back(word);
}

std::string host_and_port(const http::Url& url) {
  const bool usual = url.port == (url.scheme == "https" ? 443 : 80);
  return usual ? url.host : url.host + ':' + std::to_string(url.port);
}

}  // namespace

std::vector<std::string> implied_aliases(const std::vector<std::string>& urls) {
  std::vector<std::string> aliases;
  for (const auto& text : urls) {
    const auto url = http::parse_url(text);
    // A path means that one host serves several registries: its name alone says too little.
    if (!url || url->path != "/") continue;
    const auto host = host_and_port(*url);
    if (std::ranges::find(docker_hub, host) != docker_hub.end()) {
      for (const auto name : docker_hub) add_once(aliases, name);
    } else {
      add_once(aliases, host);
    }
  }
  return aliases;
}

registry::OfficialImages implied_official_images(const std::vector<std::string>& aliases) {
  return std::ranges::find(aliases, docker_hub.front()) == aliases.end()
             ? registry::OfficialImages::no
             : registry::OfficialImages::yes;
}

UpstreamConfig plain_upstream(std::string name, std::vector<std::string> urls) {
  UpstreamConfig config;
  config.aliases = implied_aliases(urls);
  std::erase(config.aliases, name);
  config.official_images = implied_official_images(config.aliases);
  config.remote.name = name;
  config.remote.urls = std::move(urls);
  config.remote.reserve = usual_reserve;
  config.mirror.name = std::move(name);
  return config;
}

std::vector<UpstreamConfig> builtin_upstreams() {
  std::vector<UpstreamConfig> all;
  all.push_back(plain_upstream("hub", {"https://registry-1.docker.io"}));
  for (const auto host : public_registries) {
    all.push_back(plain_upstream(std::string(host), {"https://" + std::string(host)}));
  }
  return all;
}

}  // namespace entrepot::app
