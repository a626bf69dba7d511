// How another registry is reached: the keys that entries of `upstreams:` and `peers:` share.
#pragma once

#include "app/yaml_value.hpp"
#include "entrepot/replication/rule.hpp"
#include "entrepot/upstream/remote.hpp"

namespace entrepot::app {

// urls
void read_urls(YamlSection& section, upstream::RemoteOptions& remote);
// username, password_file, docker_config, trusted_realms
void read_account(YamlSection& section, upstream::RemoteOptions& remote);
// ca, client_certificate, client_key, proxy, http2, private_network, timeouts, retries, concurrency
void read_network(YamlSection& section, upstream::RemoteOptions& remote);
// limits, reserve: what replication may take of it.
replication::Limits read_replication_limits(YamlSection& section, upstream::RemoteOptions& remote);

// {bandwidth, requests}
replication::Limits read_limits(YamlSection section);

}  // namespace entrepot::app
