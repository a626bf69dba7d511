// The promises of registry::LeaseTable from one run to the next, in <data>/leases: written when the
// daemon ends in peace, so that the next one need not wait for a whole lease time before it may
// collect. After a crash there is no such file, and it waits.
//
// All block for the file system's sake; REQUIRE: the DirectoryLock is held.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "entrepot/oci/digest.hpp"

namespace entrepot::app {

// What the run before left; none when there was no run before. Absent: nobody knows. Called before
// the index is opened, which would make the directory look used.
std::optional<std::vector<oci::Digest>> promises_of_last_run(const std::filesystem::path& data);

// Durable when it returns: from now on only write_promises() makes them known again.
void forget_promises(const std::filesystem::path& data);

// Durable when it returns. Throws std::system_error.
void write_promises(const std::filesystem::path& data, const std::vector<oci::Digest>& promises);

}  // namespace entrepot::app
