// systemd's side of a service, without its library: a datagram to $NOTIFY_SOCKET, listening sockets
// from file descriptor 3 on, and how often the watchdog wants to hear of us (sd_notify(3),
// sd_listen_fds(3), sd_watchdog_enabled(3)).
//
// Reads and clears the environment once, on construction, before any thread starts, so that no
// child (a credential helper) takes itself for the service. tell() is thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/base/unique_fd.hpp"

namespace entrepot::app {

class Supervisor {
 public:
  struct Socket {
    base::UniqueFd fd;
    std::string name;  // FileDescriptorName=; may be empty
  };

  Supervisor();

  // Lines of KEY=VALUE. No effect without a supervisor; failures are ignored, there is nobody to
  // tell.
  void tell(std::string_view lines) const;

  // Sockets handed over, each given out once.
  std::vector<Socket> take_sockets();

  // Absent when no watchdog runs, else the longest silence it allows.
  std::optional<std::chrono::milliseconds> watchdog() const { return watchdog_; }

 private:
  std::string notify_path_;
  std::vector<Socket> sockets_;
  std::optional<std::chrono::milliseconds> watchdog_;
};

}  // namespace entrepot::app
