#include "app/access.hpp"

#include "entrepot/http/url.hpp"

namespace entrepot::app {
namespace {

using auth::Right;

constexpr std::string_view default_issuer = "entrepot";
constexpr std::string_view key_file = "token.key";

auth::Rule rule(std::vector<auth::Subject::Kind> kinds, auth::Rights may) {
  auth::Rule made{{}, {"**"}, may};
  for (const auto kind : kinds) made.who.push_back({kind});
  return made;
}

std::vector<auth::Rule> rules_when_nothing_was_said(const AccessConfig& access) {
  using enum auth::Subject::Kind;
  if (access.htpasswd) return {rule({everyone}, Right::pull | Right::push | Right::remove)};
  if (!access.issuers.empty()) return {};
  return {rule({anonymous, everyone}, Right::pull)};
}

std::string host_of(const std::string& external_url) {
  const auto url = http::parse_url(external_url);
  return url ? url->host : std::string();
}

auth::TokenServer token_server(const Config& config) {
  auto tokens = config.access.tokens;
  if (!config.external_url || !config.access.htpasswd) return tokens;
  tokens.realm = *config.external_url + "/token";
  if (tokens.service.empty()) tokens.service = host_of(*config.external_url);
  if (tokens.issuer.empty()) tokens.issuer = default_issuer;
  if (tokens.key.empty()) tokens.key = config.data / key_file;
  return tokens;
}

}  // namespace

std::vector<auth::Rule> open_rules() {
  using enum auth::Subject::Kind;
  return {rule({anonymous, everyone}, Right::pull | Right::push | Right::remove)};
}

auth::GateOptions gate_options(const Config& config) {
  const auto& access = config.access;
  auth::GateOptions options;
  if (access.htpasswd) options.htpasswd = *access.htpasswd;
  options.groups = access.groups;
  options.rules = access.rules ? *access.rules : rules_when_nothing_was_said(access);
  options.tokens = token_server(config);
  options.issuers = access.issuers;
  return options;
}

}  // namespace entrepot::app
