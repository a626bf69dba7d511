// A running daemon, asked over its control socket.
#pragma once

#include <filesystem>
#include <memory>

#include "app/commands/site.hpp"

namespace entrepot::app::commands {

// Null when nobody listens there. Throws std::system_error when somebody may, but not for us.
std::unique_ptr<Site> open_daemon_site(const std::filesystem::path& socket);

}  // namespace entrepot::app::commands
