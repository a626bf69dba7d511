#include "app/listener_reader.hpp"

#include <stdexcept>

#include "app/config_words.hpp"
#include "entrepot/http/url.hpp"

namespace entrepot::app {
namespace {

std::string read_address(const YamlValue& value) {
  auto address = value.text();
  if (!is_listen_address(address)) {
    value.fail("expected ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH, found '" + address + "'");
  }
  return address;
}

http::TlsOptions read_tls(YamlSection section) {
  http::TlsOptions tls;
  tls.certificate = section.require("certificate").readable_file();
  tls.key = section.require("key").readable_file();
  if (const auto value = section.take("client_ca")) tls.client_ca = value->readable_file();
  if (const auto value = section.take("clients")) {
    const auto word = value->text();
    if (word == "must_present") {
      tls.clients = http::TlsOptions::Clients::must_present;
    } else if (word != "may_present") {
      value->fail("expected may_present or must_present, found '" + word + "'");
    }
    if (tls.client_ca.empty()) value->fail("clients needs a client_ca");
  }
  section.finish();
  return tls;
}

ListenerConfig read_listener(const YamlValue& value) {
  if (value.is_scalar()) return {read_address(value)};
  auto section = value.section();
  ListenerConfig listener{read_address(section.require("address"))};
  if (const auto tls = section.take("tls")) {
    if (is_unix_address(listener.address)) tls->fail("a Unix socket speaks no TLS");
    listener.tls = read_tls(tls->section());
  }
  section.finish();
  return listener;
}

}  // namespace

std::string checked_external_url(const std::string& text) {
  const auto url = http::parse_url(text);
  if (!url) throw std::invalid_argument("expected an http:// or https:// URL");
  if (http::has_user_information(text) || url->path != "/" || !url->query.empty() ||
      text.find('#') != std::string::npos) {
    throw std::invalid_argument("an external URL is scheme, host and port alone");
  }
  return url->origin();
}

void read_listeners(YamlSection& top, Config& config) {
  if (const auto value = top.take("listen")) {
    config.listen.clear();
    for (const auto& item : value->one_or_more()) config.listen.push_back(read_listener(item));
  }
  if (const auto value = top.take("admin_listen")) config.admin_listen = read_address(*value);
  if (const auto value = top.take("external_url")) {
    try {
      config.external_url = checked_external_url(value->text());
    } catch (const std::invalid_argument& error) {
      value->fail(error.what());
    }
  }
  if (const auto value = top.take("trusted_proxies")) {
    for (const auto& item : value->list()) {
      auto network = item.text();
      if (!is_network(network)) {
        item.fail("expected an address, a network such as 10.0.0.0/8, or unix, found '" + network +
                  "'");
      }
      config.trusted_proxies.networks.push_back(std::move(network));
    }
  }
}

}  // namespace entrepot::app
