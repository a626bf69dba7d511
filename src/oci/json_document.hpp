// JSON as a manifest may use it: no duplicate keys, bounded depth and number of values.
#pragma once

#include <boost/json/value.hpp>
#include <expected>
#include <string>
#include <string_view>

namespace entrepot::oci {

// Boost.JSON keeps the last of two equal keys without a word; two readers that keep different ones
// see two different manifests under one digest. The error is a sentence.
std::expected<boost::json::value, std::string> parse_json(std::string_view text,
                                                          boost::json::storage_ptr storage);

}  // namespace entrepot::oci
