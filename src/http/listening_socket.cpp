#include "http/listening_socket.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <cerrno>
#include <cstring>

#include "entrepot/base/units.hpp"

namespace entrepot::http {

namespace {

namespace asio = async::asio;
using asio::ip::tcp;
using Endpoint = asio::generic::stream_protocol::endpoint;

constexpr std::string_view unix_prefix = "unix:";

[[noreturn]] void refuse_address(const std::string& address) {
  throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                          "not an address and port: " + address);
}

void set_option(int fd, int level, int name, int value = 1) {
  if (::setsockopt(fd, level, name, &value, sizeof value) != 0) base::throw_errno("setsockopt");
}

enum class Sharing { exclusive, among_threads };

base::UniqueFd bind_to(const tcp::endpoint& endpoint, Sharing sharing) {
  base::UniqueFd fd(::socket(endpoint.protocol().family(),
                             SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  if (!fd) base::throw_errno("socket");
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (sharing == Sharing::among_threads) set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT);
  const auto text = to_text(endpoint);
  if (::bind(fd.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) {
    base::throw_errno("bind", text.c_str());
  }
  return fd;
}

Endpoint bound_to(int fd) {
  Endpoint endpoint;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  if (::getsockname(fd, endpoint.data(), &size) != 0) base::throw_errno("getsockname");
  endpoint.resize(size);
  return endpoint;
}

tcp::endpoint tcp_endpoint(const Endpoint& endpoint) {
  tcp::endpoint narrowed;
  narrowed.resize(endpoint.size());
  std::memcpy(narrowed.data(), endpoint.data(), endpoint.size());
  return narrowed;
}

sockaddr_un name_of(const std::filesystem::path& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const auto& text = path.native();
  if (text.size() >= sizeof name.sun_path) {
    throw std::system_error(std::make_error_code(std::errc::filename_too_long), text);
  }
  text.copy(static_cast<char*>(name.sun_path), text.size());
  return name;
}

base::UniqueFd unix_socket() {
  base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) base::throw_errno("socket");
  return fd;
}

// A name that is left over from a process that did not end well.
bool is_abandoned(const sockaddr_un& name) {
  struct stat found{};
  if (::lstat(name.sun_path, &found) != 0 || !S_ISSOCK(found.st_mode)) return false;
  const auto probe = unix_socket();
  const auto* address = reinterpret_cast<const sockaddr*>(&name);
  return ::connect(probe.get(), address, sizeof name) != 0 && errno == ECONNREFUSED;
}

void bind_name(int fd, const sockaddr_un& name) {
  const auto* address = reinterpret_cast<const sockaddr*>(&name);
  if (::bind(fd, address, sizeof name) == 0) return;
  const int error = errno;
  if (error != EADDRINUSE || !is_abandoned(name)) {
    errno = error;
    base::throw_errno("bind", name.sun_path);
  }
  ::unlink(name.sun_path);
  if (::bind(fd, address, sizeof name) != 0) base::throw_errno("bind", name.sun_path);
}

}  // namespace

tcp::endpoint parse_endpoint(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) refuse_address(address);
  auto host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto port = base::parse_unsigned(address.substr(colon + 1));
  boost::system::error_code ec;
  const auto ip = asio::ip::make_address(host, ec);
  if (ec || !port || *port > 65'535) refuse_address(address);
  return {ip, static_cast<std::uint16_t>(*port)};
}

std::string to_text(const tcp::endpoint& endpoint) {
  const auto host = endpoint.address().to_string();
  const auto port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + host + "]:" + port : host + ":" + port;
}

std::vector<base::UniqueFd> listen_on(tcp::endpoint endpoint, std::size_t count) {
  std::vector<base::UniqueFd> sockets;
  // SO_REUSEPORT would let us share the port with another process that listens there already; the
  // first bind goes without it and finds out.
  sockets.push_back(bind_to(endpoint, Sharing::exclusive));
  set_option(sockets.front().get(), SOL_SOCKET, SO_REUSEPORT);
  endpoint = tcp_endpoint(bound_to(sockets.front().get()));
  while (sockets.size() < count) sockets.push_back(bind_to(endpoint, Sharing::among_threads));
  for (const auto& socket : sockets) {
    if (::listen(socket.get(), listen_backlog) != 0) base::throw_errno("listen");
  }
  return sockets;
}

std::optional<std::filesystem::path> unix_path(std::string_view address) {
  if (!address.starts_with(unix_prefix)) return std::nullopt;
  address.remove_prefix(unix_prefix.size());
  if (!address.starts_with('/')) refuse_address(std::string(address));
  return std::filesystem::path(address);
}

UnixSocket::UnixSocket(std::filesystem::path path, mode_t mode)
    : path_(std::move(path)), fd_(unix_socket()) {
  const auto name = name_of(path_);
  bind_name(fd_.get(), name);
  named_ = true;
  struct stat mine{};
  const bool known = ::lstat(path_.c_str(), &mine) == 0;
  device_ = mine.st_dev;
  inode_ = mine.st_ino;
  // Before listen(): until then nobody can connect, whatever the mask of this process was.
  const bool open = known && ::chmod(path_.c_str(), mode) == 0 &&  //
                    ::listen(fd_.get(), listen_backlog) == 0;
  if (open) return;
  const int error = errno;
  remove_name();
  errno = error;
  base::throw_errno("listen", path_.c_str());
}

void UnixSocket::remove_name() {
  if (!named_.exchange(false)) return;
  struct stat found{};
  const bool mine =
      ::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_;
  if (mine) ::unlink(path_.c_str());
}

std::string address_of(int listening_fd) {
  const auto endpoint = bound_to(listening_fd);
  if (endpoint.protocol().family() != AF_UNIX) return to_text(tcp_endpoint(endpoint));
  sockaddr_un name{};
  std::memcpy(&name, endpoint.data(), std::min(endpoint.size(), sizeof name));
  const auto* path = static_cast<const char*>(name.sun_path);
  return std::string(unix_prefix).append(path, ::strnlen(path, sizeof name.sun_path));
}

// Keepalive finds peers that vanished without a word while we wait for content on their behalf
// (reliability.md N-05).
void set_connection_options(int listening_fd) {
  if (bound_to(listening_fd).protocol().family() == AF_UNIX) return;
  set_option(listening_fd, IPPROTO_TCP, TCP_NODELAY);
  set_option(listening_fd, SOL_SOCKET, SO_KEEPALIVE);
  set_option(listening_fd, IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set_option(listening_fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set_option(listening_fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

}  // namespace entrepot::http
