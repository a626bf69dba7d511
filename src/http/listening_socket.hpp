// Sockets that listen: bound to an address and port, or to a name in the file system.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/base/unique_fd.hpp"

namespace entrepot::http {

inline constexpr int listen_backlog = 4096;

// "127.0.0.1:5000", "[::1]:5000". Throws std::system_error for anything else.
async::asio::ip::tcp::endpoint parse_endpoint(const std::string& address);
std::string to_text(const async::asio::ip::tcp::endpoint& endpoint);

// `count` sockets that listen on the same address; the kernel spreads connections over them
// (SO_REUSEPORT). Throws when anyone listens there already. Port 0 picks one.
std::vector<base::UniqueFd> listen_on(async::asio::ip::tcp::endpoint endpoint, std::size_t count);

// The path of "unix:/path"; absent for other addresses.
std::optional<std::filesystem::path> unix_path(std::string_view address);

// A listening Unix socket and its name, which goes with it, unless somebody else has taken it.
class UnixSocket {
 public:
  // One that nobody answers on any more is replaced. Throws std::system_error, also when somebody
  // does answer, or something else has that name.
  UnixSocket(std::filesystem::path path, mode_t mode);
  ~UnixSocket() { remove_name(); }
  UnixSocket(const UnixSocket&) = delete;
  UnixSocket& operator=(const UnixSocket&) = delete;

  base::UniqueFd take_fd() { return std::move(fd_); }
  // Thread-safe.
  void remove_name();

 private:
  std::filesystem::path path_;
  base::UniqueFd fd_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::atomic<bool> named_ = false;
};

// As it was given to listen_on() or UnixSocket.
std::string address_of(int listening_fd);

// Connections inherit these from the socket that accepts them.
void set_connection_options(int listening_fd);

}  // namespace entrepot::http
