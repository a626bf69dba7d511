// pwrite() to its end.
#pragma once

#include <cstdint>

#include "entrepot/base/bytes.hpp"

namespace entrepot::store {

// All of it, or std::system_error with part of it written.
void write_at(int fd, base::ByteView bytes, std::uint64_t offset);

}  // namespace entrepot::store
