// Where clients come in: the listening sockets of the configuration or of systemd, the keys of
// those that speak TLS, and the operator's control socket.
//
// Made and used by the Daemon before its runtime runs; reload() and reload_changed_keys() are
// thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/config.hpp"
#include "app/supervisor.hpp"
#include "entrepot/http/server.hpp"

namespace entrepot::app {

class CannotListen : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Doors {
 public:
  Doors() = default;
  Doors(const Doors&) = delete;
  Doors& operator=(const Doors&) = delete;

  // The addresses of the configuration, unless systemd handed sockets over; `admin` may be null.
  // Throws CannotListen, ConfigError for keys that cannot be used.
  void open(const Config& config, std::vector<Supervisor::Socket> sockets, http::Server& server,
            http::Server* admin);

  // Every key again. Throws ConfigError and then changes nothing (but for a file that is replaced
  // at this very moment, which is logged).
  void reload_keys();
  // Those whose files have changed.
  void reload_changed_keys();

 private:
  struct Lock {
    http::TlsOptions options;
    std::shared_ptr<http::TlsKeys> keys;
  };

  std::shared_ptr<http::TlsKeys> keys_of(const http::TlsOptions& options);
  void listen(http::Server& server, const http::Listener& listener, std::string_view event);
  void adopt(Supervisor::Socket socket, http::Server& server, std::string_view event,
             std::shared_ptr<http::TlsKeys> keys);
  void open_control_socket(const Config& config, http::Server& server);

  std::vector<Lock> locks_;
};

// What systemd calls a socket for health and metrics alone (FileDescriptorName=).
bool is_admin(const Supervisor::Socket& socket);

}  // namespace entrepot::app
