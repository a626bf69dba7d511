#include "app/remote_reader.hpp"

#include "app/config.hpp"
#include "app/config_words.hpp"
#include "entrepot/base/units.hpp"

namespace entrepot::app {
namespace {

constexpr std::uint64_t most_reserve = 1'000'000'000;

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

std::uint64_t read_bandwidth(const YamlValue& value) {
  const auto word = value.text();
  const auto rate = base::parse_rate(word);
  if (!rate || *rate == 0) {
    value.fail("expected a rate such as 500kB/s, 5MB/s, 5MiB/s or 40Mbit/s, found '" + word + "'");
  }
  return *rate;
}

std::uint64_t read_requests(const YamlValue& value) {
  const auto word = value.text();
  const auto number =
      word.ends_with("/s") ? base::parse_unsigned(word.substr(0, word.size() - 2)) : std::nullopt;
  if (!number || *number == 0) {
    value.fail("expected requests a second such as 10/s, found '" + word + "'");
  }
  return *number;
}

}  // namespace

void read_urls(YamlSection& section, upstream::RemoteOptions& remote) {
  for (const auto& value : section.require("urls").one_or_more()) {
    auto url = value.text();
    if (const auto fault = fault_of_url(url); !fault.empty()) value.fail(fault);
    remote.urls.push_back(std::move(url));
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

replication::Limits read_limits(YamlSection section) {
  replication::Limits limits;
  if (const auto value = section.take("bandwidth"))
    limits.bytes_per_second = read_bandwidth(*value);
  if (const auto value = section.take("requests"))
    limits.requests_per_second = read_requests(*value);
  section.finish();
  return limits;
}

replication::Limits read_replication_limits(YamlSection& section, upstream::RemoteOptions& remote) {
  replication::Limits limits;
  if (const auto value = section.take("limits")) limits = read_limits(value->section());
  remote.reserve = usual_reserve;
  if (const auto value = section.take("reserve")) remote.reserve = value->number(0, most_reserve);
  return limits;
}

}  // namespace entrepot::app
