// Where the operator's commands reach a running daemon.
#pragma once

#include <filesystem>

namespace entrepot::app {

// Made 0600 in a directory that is 0700: whoever can open it is the operator.
inline std::filesystem::path control_socket(const std::filesystem::path& data) {
  return data / "control.sock";
}

}  // namespace entrepot::app
