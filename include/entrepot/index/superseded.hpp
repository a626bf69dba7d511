// What lost by somebody's rule though its version is greater.
#pragma once

#include "entrepot/index/journal.hpp"

namespace entrepot::index {

// Notes it in the history of its tag, once; the tag stays as it is. As apply_change() does by
// itself for what lost by its version.
void note_superseded(Batch& batch, const Change& change, base::WallTime now);

}  // namespace entrepot::index
