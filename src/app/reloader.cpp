#include "app/reloader.hpp"

#include "app/access.hpp"
#include "entrepot/base/log.hpp"

namespace entrepot::app {
namespace {

namespace log = base::log;

bool same(const ListenerConfig& a, const ListenerConfig& b) {
  if (a.address != b.address || a.tls.has_value() != b.tls.has_value()) return false;
  return !a.tls || (a.tls->certificate == b.tls->certificate && a.tls->key == b.tls->key &&
                    a.tls->client_ca == b.tls->client_ca && a.tls->clients == b.tls->clients);
}

bool same(const UpstreamConfig& a, const UpstreamConfig& b) {
  return a.name() == b.name() && a.aliases == b.aliases && a.remote.urls == b.remote.urls &&
         a.limits == b.limits;
}

bool same(const PeerConfig& a, const PeerConfig& b) {
  return a.name() == b.name() && a.kind == b.kind && a.remote.urls == b.remote.urls &&
         a.remote.username == b.remote.username && a.limits == b.limits;
}

bool same(const transfer::TrustedKey& a, const transfer::TrustedKey& b) {
  return a.name == b.name && a.key == b.key;
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& left, const T& right) { return same(left, right); });
}

}  // namespace

Reloader::Reloader(House& house, Doors& doors, Config running, Flags flags)
    : house_(house), doors_(doors), flags_(std::move(flags)), running_(std::move(running)) {}

void Reloader::reload() {
  const std::lock_guard lock(mutex_);
  auto found = load_config(flags_);
  found.data = running_.data;
  // What can fail comes first, what it would change last.
  for (const auto& rule : found.rules) house_.parties.check(rule);
  auto policy = std::make_shared<const registry::Policy>(found.registry.policy);
  auto collecting = std::make_shared<const CollectConfig>(found.collect);
  doors_.reload_keys();
  house_.gate.reload(gate_options(found));
  house_.policy.replace(std::move(policy));
  house_.collecting.replace(std::move(collecting));
  house_.notifier.replace(found.receivers);
  // Rules that stay as they are go on undisturbed.
  if (found.rules != running_.rules) house_.replicator.replace(found.rules);
  // What was switched by hand stays so, unless the file has changed its mind.
  if (found.registry.read_only != running_.registry.read_only) {
    house_.policy.set_read_only(found.registry.read_only == ReadOnly::yes);
  }
  tell_what_needs_a_restart(found);
  running_ = std::move(found);
  log::info("configuration read again", {{"file", flags_.config.value_or("none")}});
}

void Reloader::tell_what_needs_a_restart(const Config& found) const {
  const struct {
    bool same;
    std::string_view key;
  } keys[] = {
      {same(found.listen, running_.listen), "listen"},
      {found.admin_listen == running_.admin_listen, "admin_listen"},
      {found.trusted_proxies.networks == running_.trusted_proxies.networks, "trusted_proxies"},
      {found.threads == running_.threads, "threads"},
      {found.log_level == running_.log_level && found.log_format == running_.log_format, "log"},
      {found.local == running_.local, "local"},
      {same(found.upstreams, running_.upstreams), "upstreams"},
      {same(found.peers, running_.peers), "peers"},
      {found.site.name == running_.site.name &&
           same(found.site.trusted_keys, running_.site.trusted_keys),
       "site"},
      {found.collect.lease == running_.collect.lease, "collect.lease"},
  };
  for (const auto& each : keys) {
    if (!each.same) log::warn("a change waits for a restart", {{"key", each.key}});
  }
}

}  // namespace entrepot::app
