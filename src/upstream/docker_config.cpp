#include "upstream/docker_config.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <vector>

#include "entrepot/base/bytes.hpp"

namespace entrepot::upstream {
namespace {

namespace json = boost::json;

constexpr std::string_view hub_key = "https://index.docker.io/v1/";
constexpr std::array hub_hosts = {"docker.io", "registry-1.docker.io", "index.docker.io",
                                  "registry.hub.docker.com"};

// Keys under which tools have written a registry, the usual one first.
std::vector<std::string> keys_of(const std::string& host) {
  if (std::ranges::find(hub_hosts, host) != hub_hosts.end())
    return {std::string(hub_key),
            "https://index.docker.io/v1",
            "index.docker.io",
            "docker.io",
            "https://docker.io",
            "registry-1.docker.io",
            "https://registry-1.docker.io"};
  std::vector<std::string> keys = {host};
  for (const char* scheme : {"https://", "http://"})
    for (const char* path : {"", "/", "/v1/", "/v2/", "/v2"}) keys.push_back(scheme + host + path);
  return keys;
}

const json::object* object_member(const json::object& object, std::string_view name) {
  const auto* member = object.if_contains(name);
  return member == nullptr ? nullptr : member->if_object();
}

std::string text_member(const json::object& object, std::string_view name) {
  const auto* member = object.if_contains(name);
  const auto* text = member == nullptr ? nullptr : member->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

std::expected<DockerEntry, std::string> read_auth(const json::object& entry) {
  Account account{text_member(entry, "username"), text_member(entry, "password"),
                  text_member(entry, "identitytoken")};
  if (const auto encoded = text_member(entry, "auth"); !encoded.empty()) {
    const auto pair = base::from_base64(encoded);
    const auto colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos)
      return std::unexpected("its \"auth\" is not a user and a password");
    account.username = pair->substr(0, colon);
    account.password = pair->substr(colon + 1);
    // Docker writes trailing NULs of a fixed buffer.
    account.password.erase(account.password.find_last_not_of('\0') + 1);
  }
  if (account.anonymous()) return DockerEntry();
  return DockerEntry(std::move(account));
}

}  // namespace

std::expected<DockerEntry, std::string> find_in_docker_config(std::string_view text,
                                                              const std::string& host) {
  json::error_code error;
  const auto document = json::parse(text, error);
  const auto* object = error ? nullptr : document.if_object();
  if (object == nullptr) return std::unexpected("it is not JSON");
  const auto keys = keys_of(host);
  if (const auto* helpers = object_member(*object, "credHelpers"))
    for (const auto& key : keys)
      if (auto name = text_member(*helpers, key); !name.empty())
        return HelperEntry{std::move(name), key};
  if (auto store = text_member(*object, "credsStore"); !store.empty())
    return HelperEntry{std::move(store), keys.front()};
  if (const auto* auths = object_member(*object, "auths"))
    for (const auto& key : keys)
      if (const auto* entry = object_member(*auths, key)) return read_auth(*entry);
  return DockerEntry();
}

std::expected<Account, std::string> parse_helper_answer(std::string_view text) {
  json::error_code error;
  const auto document = json::parse(text, error);
  const auto* object = error ? nullptr : document.if_object();
  if (object == nullptr) return std::unexpected("the credential helper's answer is not JSON");
  auto username = text_member(*object, "Username");
  auto secret = text_member(*object, "Secret");
  if (username == "<token>") return Account{{}, {}, std::move(secret)};
  return Account{std::move(username), std::move(secret), {}};
}

}  // namespace entrepot::upstream
