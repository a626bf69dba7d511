// open_lmdb_index() with its sizes, for tests that want small ones.
#pragma once

#include <filesystem>
#include <memory>

#include "entrepot/index/index.hpp"
#include "index/environment.hpp"

namespace entrepot::index {

std::unique_ptr<Index> open_lmdb_index(const std::filesystem::path& data, LmdbOptions options);

}  // namespace entrepot::index
