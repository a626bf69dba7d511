// The words of the configuration that file and flags share; absent: no such word.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "entrepot/base/log.hpp"

namespace entrepot::app {

std::optional<base::log::Level> parse_level(std::string_view word);
std::optional<base::log::Format> parse_format(std::string_view word);

// "ADDR:PORT" with a numeric address, IPv6 in brackets; or "unix:/PATH".
bool is_listen_address(std::string_view text);
bool is_unix_address(std::string_view text);
// An address, an address block ("10.0.0.0/8"), or "unix".
bool is_network(std::string_view text);
// A token of RFC 9110 section 5.6.2.
bool is_header_name(std::string_view text);
// [a-z0-9._-]+ that can be a component of a repository name, and is not "v2".
bool is_upstream_name(std::string_view text);
// A host in lower case, with or without port.
bool is_alias(std::string_view text);
// Empty when `text` can be an upstream's URL, else what is wrong with it.
std::string fault_of_url(std::string_view text);

}  // namespace entrepot::app
