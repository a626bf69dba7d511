// What a docker config.json says of one registry: auths, credHelpers, credsStore. Pure.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "upstream/account.hpp"

namespace entrepot::upstream {

// The program docker-credential-<name> knows, under this key.
struct HelperEntry {
  std::string name;
  std::string server;
};
using DockerEntry = std::variant<std::monostate, Account, HelperEntry>;

// `host` with its port unless default, as in a URL. Docker Hub's many names are one, whose key is
// https://index.docker.io/v1/. credHelpers go before credsStore, that before auths. The error is a
// sentence without secrets.
std::expected<DockerEntry, std::string> find_in_docker_config(std::string_view text,
                                                              const std::string& host);

// What a credential helper printed for `get`. The error is a sentence without secrets.
std::expected<Account, std::string> parse_helper_answer(std::string_view text);

}  // namespace entrepot::upstream
