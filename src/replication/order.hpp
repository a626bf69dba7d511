// Which of two tags is the newer one, by its name.
#pragma once

#include <compare>
#include <cstddef>
#include <string_view>
#include <vector>

#include "entrepot/oci/name.hpp"

namespace entrepot::replication {

// As people sort: runs of digits count as numbers, "build-9" before "build-10". Equal only when the
// texts are.
std::strong_ordering natural_order(std::string_view a, std::string_view b);

// The `count` newest, newest first: versions are newer than names that are none, and go by semantic
// order; all else, and versions of equal precedence, by natural order.
std::vector<oci::Tag> newest(std::vector<oci::Tag> tags, std::size_t count);

}  // namespace entrepot::replication
