// Making bytes and names survive a power cut.
//
// An EIO from a flush ends the process (exit 70) after a log line: the kernel reports it once and
// drops the pages, so a second flush would succeed over lost data (reliability.md rule 13). Other
// errors, ENOSPC among them, throw std::system_error.
#pragma once

namespace entrepot::store {

void sync_content(int file);
void sync_names(int folder);

}  // namespace entrepot::store
