// Runs docker-credential-<name> (docker/docker-credential-helpers): the server's name on its
// standard input, JSON on its standard output.
#pragma once

#include <chrono>
#include <expected>
#include <string>

#include "upstream/docker_config.hpp"

namespace entrepot::upstream {

// Blocks up to `longest`, then kills it and its children: call it on the blocking pool. An account
// that is anonymous when the helper knows none. The error is a sentence without secrets.
std::expected<Account, std::string> ask_credential_helper(const HelperEntry& entry,
                                                          std::chrono::milliseconds longest);

}  // namespace entrepot::upstream
