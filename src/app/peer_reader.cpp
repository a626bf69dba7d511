#include "app/peer_reader.hpp"

#include "app/config_words.hpp"
#include "app/remote_reader.hpp"

namespace entrepot::app {
namespace {

// A component of a repository name, so that it can stand in one ("paris/{repository}").
std::string read_name(const YamlValue& value) {
  auto name = value.text();
  if (!is_upstream_name(name)) {
    value.fail("expected lower-case letters, digits, '.', '_' or '-', found '" + name + "'");
  }
  return name;
}

transfer::TrustedKey read_key(YamlSection section) {
  transfer::TrustedKey trusted{.name = read_name(section.require("name")), .key = {}};
  const auto key = section.require("key");
  trusted.key = key.text();
  if (transfer::key_id(trusted.key).empty()) {
    key.fail("expected what `entrepot bundle key` prints at that site");
  }
  section.finish();
  return trusted;
}

PeerConfig::Kind read_kind(const YamlValue& value) {
  const auto word = value.text();
  if (word == "entrepot") return PeerConfig::Kind::entrepot;
  if (word == "registry") return PeerConfig::Kind::registry;
  value.fail("expected entrepot or registry, found '" + word + "'");
}

}  // namespace

SiteConfig read_site(YamlSection section) {
  SiteConfig site;
  if (const auto value = section.take("name")) site.name = read_name(*value);
  if (const auto value = section.take("trusted_keys")) {
    for (const auto& entry : value->list()) {
      site.trusted_keys.push_back(read_key(entry.section()));
    }
  }
  section.finish();
  return site;
}

PeerConfig read_peer(const YamlValue& value, std::set<std::string>& taken) {
  auto section = value.section();
  PeerConfig peer;
  const auto name = section.require("name");
  peer.remote.name = read_name(name);
  if (!taken.insert(peer.name()).second) {
    name.fail("'" + peer.name() + "' names a peer, an upstream or this site already");
  }
  if (const auto kind = section.take("kind")) peer.kind = read_kind(*kind);
  read_urls(section, peer.remote);
  read_account(section, peer.remote);
  read_network(section, peer.remote);
  peer.limits = read_replication_limits(section, peer.remote);
  section.finish();
  return peer;
}

}  // namespace entrepot::app
