// An event's bytes in the index; as records.hpp.
#pragma once

#include <optional>
#include <string>

#include "entrepot/base/bytes.hpp"
#include "entrepot/index/events.hpp"

namespace entrepot::index {

// Without the sequence number, which is the row's key.
std::string encode(const Event& event);
std::optional<Event> decode_event(base::ByteView bytes);

}  // namespace entrepot::index
