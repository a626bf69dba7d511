// The bytes of a Chunk, wherever they lie: for those who hash or store what they read.
#pragma once

#include <functional>

#include "entrepot/async/byte_source.hpp"
#include "entrepot/base/bytes.hpp"

namespace entrepot::mirror {

// Calls `visit` with consecutive pieces. Bytes of a file are read into a small buffer; throws
// std::system_error when they cannot be.
void for_each_piece(const async::Chunk& chunk, const std::function<void(base::ByteView)>& visit);

}  // namespace entrepot::mirror
