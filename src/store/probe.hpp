// Start-up check that the data directory can keep the promise of commit (reliability.md D-15).
#pragma once

#include "store/folder.hpp"

namespace entrepot::store {

// Syncs a file in `spool`, renames it into `blobs` and syncs that. Throws std::system_error when
// the file system cannot (two file systems among the causes); a full disk only warns, since what is
// held can still be served. Warns of network and layered file systems.
void probe_file_system(const Folder& spool, const Folder& blobs);

}  // namespace entrepot::store
