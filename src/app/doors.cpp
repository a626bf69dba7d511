#include "app/doors.hpp"

#include <sys/un.h>

#include <algorithm>
#include <system_error>

#include "app/config_error.hpp"
#include "app/control_socket.hpp"
#include "entrepot/base/log.hpp"

namespace entrepot::app {
namespace {

namespace log = base::log;

constexpr std::string_view admin_socket_name = "admin";
constexpr std::string_view tls_socket_name = "tls";

const http::TlsOptions* first_tls(const Config& config) {
  const auto found = std::ranges::find_if(
      config.listen, [](const ListenerConfig& listener) { return listener.tls.has_value(); });
  return found == config.listen.end() ? nullptr : &*found->tls;
}

void say(std::string_view event, const std::string& address, bool tls) {
  log::info(event, {{"address", address}, {"tls", tls ? "yes" : "no"}});
}

}  // namespace

bool is_admin(const Supervisor::Socket& socket) { return socket.name == admin_socket_name; }

void Doors::open(const Config& config, std::vector<Supervisor::Socket> sockets,
                 http::Server& server, http::Server* admin) {
  if (std::ranges::all_of(sockets, is_admin)) {
    for (const auto& each : config.listen) {
      listen(server, {each.address, each.tls ? keys_of(*each.tls) : nullptr}, "listening");
    }
  }
  const auto* tls = first_tls(config);
  for (auto& socket : sockets) {
    const bool with_tls = socket.name == tls_socket_name;
    if (with_tls && !tls) {
      throw ConfigError("a socket named tls was handed over, but no address in listen has tls");
    }
    auto keys = with_tls ? keys_of(*tls) : nullptr;
    if (is_admin(socket)) {
      adopt(std::move(socket), *admin, "serving admin", nullptr);
    } else {
      adopt(std::move(socket), server, "listening", std::move(keys));
    }
  }
  if (config.admin_listen) listen(*admin, {*config.admin_listen, nullptr}, "serving admin");
  open_control_socket(config, server);
}

std::shared_ptr<http::TlsKeys> Doors::keys_of(const http::TlsOptions& options) {
  try {
    auto keys = std::make_shared<http::TlsKeys>(options);
    locks_.push_back({options, keys});
    return keys;
  } catch (const std::runtime_error& error) {
    throw ConfigError(error.what());
  }
}

void Doors::listen(http::Server& server, const http::Listener& listener, std::string_view event) {
  try {
    say(event, server.listen(listener), listener.tls != nullptr);
  } catch (const std::system_error& error) {
    throw CannotListen("cannot listen on " + listener.address + ": " + error.code().message());
  }
}

void Doors::adopt(Supervisor::Socket socket, http::Server& server, std::string_view event,
                  std::shared_ptr<http::TlsKeys> keys) {
  const bool tls = keys != nullptr;
  try {
    say(event, server.adopt(socket.fd.release(), std::move(keys)), tls);
  } catch (const std::system_error& error) {
    throw CannotListen("cannot listen on an inherited socket: " + error.code().message());
  }
}

void Doors::open_control_socket(const Config& config, http::Server& server) {
  const auto path = std::filesystem::absolute(control_socket(config.data));
  if (path.native().size() >= sizeof(sockaddr_un{}.sun_path)) {
    log::warn("no control socket", {{"reason", "the data directory's path is too long"}});
    return;
  }
  listen(server, {"unix:" + path.string(), nullptr, http::Listener::Purpose::control},
         "listening for commands");
}

void Doors::reload_keys() {
  try {
    for (const auto& lock : locks_) const http::TlsKeys probe(lock.options);
  } catch (const std::runtime_error& error) {
    throw ConfigError(error.what());
  }
  for (const auto& lock : locks_) {
    try {
      lock.keys->reload();
    } catch (const std::runtime_error& error) {
      log::error("keys not read again", {{"reason", error.what()}});
    }
  }
}

void Doors::reload_changed_keys() {
  for (const auto& lock : locks_) lock.keys->reload_if_changed();
}

}  // namespace entrepot::app
