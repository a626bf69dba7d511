#include "app/supervisor.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "entrepot/base/units.hpp"

namespace entrepot::app {
namespace {

constexpr int first_socket = 3;  // SD_LISTEN_FDS_START

// Takes the variable out of the environment.
std::string take(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value ? value : "";
  ::unsetenv(name);
  return text;
}

bool is_for_us(const std::string& pid) { return pid == std::to_string(::getpid()); }

std::vector<std::string> split_names(const std::string& text, std::size_t count) {
  std::vector<std::string> names(1);
  for (const char c : text) {
    if (c == ':') {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  names.resize(count);
  return names;
}

std::vector<Supervisor::Socket> inherited_sockets() {
  const auto pid = take("LISTEN_PID");
  const auto count = base::parse_unsigned(take("LISTEN_FDS"));
  const auto names = take("LISTEN_FDNAMES");
  std::vector<Supervisor::Socket> sockets;
  if (!is_for_us(pid) || !count || *count > 64) return sockets;
  for (auto& name : split_names(names, *count)) {
    const int fd = first_socket + static_cast<int>(sockets.size());
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    sockets.push_back({base::UniqueFd(fd), std::move(name)});
  }
  return sockets;
}

std::optional<std::chrono::milliseconds> watchdog_limit() {
  const auto pid = take("WATCHDOG_PID");
  const auto microseconds = base::parse_unsigned(take("WATCHDOG_USEC"));
  if (!microseconds || *microseconds < 1000) return std::nullopt;
  if (!pid.empty() && !is_for_us(pid)) return std::nullopt;
  return std::chrono::milliseconds(*microseconds / 1000);
}

}  // namespace

Supervisor::Supervisor()
    : notify_path_(take("NOTIFY_SOCKET")),
      sockets_(inherited_sockets()),
      watchdog_(watchdog_limit()) {}

void Supervisor::tell(std::string_view lines) const {
  sockaddr_un address{};
  if (notify_path_.empty() || notify_path_.size() >= sizeof address.sun_path) return;
  const base::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, notify_path_.data(), notify_path_.size());
  // '@' stands for the zero byte of an abstract address.
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const auto length = offsetof(sockaddr_un, sun_path) + notify_path_.size();
  ::sendto(fd.get(), lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
           reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length));
}

std::vector<Supervisor::Socket> Supervisor::take_sockets() { return std::exchange(sockets_, {}); }

}  // namespace entrepot::app
