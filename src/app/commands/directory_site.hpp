// A data directory that no daemon holds, opened here: the same house, the same handlers.
#pragma once

#include <memory>

#include "app/commands/site.hpp"

namespace entrepot::app::commands {

// Root becomes the directory's owner first, so that a daemon with a user of its own can read what
// is made. Throws store::DirectoryInUse, ConfigError, and what opening a House throws.
std::unique_ptr<Site> open_directory_site(const Config& config);

}  // namespace entrepot::app::commands
