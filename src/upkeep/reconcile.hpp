// The third step of a collection: files and rows that do not know of each other (reliability.md
// G-10, D-11). A crash between a commit and its record leaves such a file, a damaged disk such a
// row.
#pragma once

#include "entrepot/async/task.hpp"
#include "upkeep/round.hpp"

namespace entrepot::upkeep {

// Files nobody claims go to trash; those that just arrived may be claimed yet.
async::Task<> set_unknown_files_aside(Round& round);
// Rows whose file is gone or has another size are forgotten. Throws std::runtime_error, with
// nothing forgotten, when they are so many that the store itself must be at fault.
async::Task<> forget_lost_blobs(Round& round);

}  // namespace entrepot::upkeep
