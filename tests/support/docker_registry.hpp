// Debian's docker-registry (distribution 2.8) as a process of a unit test, and a wire to a server
// that breaks where the test wants it to.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "entrepot/base/unique_fd.hpp"
#include "support/temp_dir.hpp"

namespace entrepot::test {

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Invalid when nobody listens there.
inline base::UniqueFd connect_to(std::uint16_t port) {
  base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = loopback(port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return {};
  return fd;
}

class DockerRegistry {
 public:
  static bool installed() { return ::access("/usr/bin/docker-registry", X_OK) == 0; }

  DockerRegistry() {
    port_ = free_port();
    const auto config = (dir_.path() / "config.yml").string();
    std::ofstream(config) << "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
                          << "storage:\n  filesystem: {rootdirectory: " << dir_.path().string()
                          << "/data}\n  delete: {enabled: true}\n"
                          << "http: {addr: '127.0.0.1:" << port_ << "'}\n";
    child_ = ::fork();
    if (child_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int nothing = ::open("/dev/null", O_WRONLY);
      ::dup2(nothing, STDOUT_FILENO);
      ::dup2(nothing, STDERR_FILENO);
      ::execl("/usr/bin/docker-registry", "docker-registry", "serve", config.c_str(), nullptr);
      ::_exit(127);
    }
    for (int tries = 0; tries < 1000 && connect_to(port_).get() < 0; ++tries) ::usleep(20'000);
  }
  ~DockerRegistry() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  DockerRegistry(const DockerRegistry&) = delete;
  DockerRegistry& operator=(const DockerRegistry&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  static std::uint16_t free_port() {
    const base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
      std::abort();
    return ntohs(address.sin_port);
  }

  TempDir dir_;
  std::uint16_t port_ = 0;
  pid_t child_ = -1;
};

// Passes connections on. Each of `cuts` is a count of bytes sent to the server since the cut
// before: there the client's connection is reset; the server gets what came until then, and an end.
class CuttingWire {
 public:
  CuttingWire(std::uint16_t to, std::deque<std::size_t> cuts) : to_(to), cuts_(std::move(cuts)) {
    listener_ = base::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_.get(), 64) != 0 ||
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
      std::abort();
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~CuttingWire() {
    stopping_ = true;
    acceptor_.join();
    for (auto& each : workers_) each.join();
  }
  CuttingWire(const CuttingWire&) = delete;
  CuttingWire& operator=(const CuttingWire&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  // Bytes passed on to the server.
  std::size_t sent() const { return sent_; }
  std::size_t cuts_left() const {
    const std::lock_guard lock(mutex_);
    return cuts_.size();
  }

 private:
  static bool readable(int fd) {
    pollfd ready{fd, POLLIN, 0};
    return ::poll(&ready, 1, 5) > 0;
  }

  void accept_all() {
    while (!stopping_) {
      if (!readable(listener_.get())) continue;
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) workers_.emplace_back([this, fd] { pass_on(base::UniqueFd(fd)); });
    }
  }

  void pass_on(base::UniqueFd client) {
    const auto server = connect_to(to_);
    pollfd both[] = {{client.get(), POLLIN, 0}, {server.get(), POLLIN, 0}};
    while (!stopping_) {
      if (::poll(both, 2, 20) <= 0) continue;
      if (both[1].revents != 0 && move(server.get(), client.get(), most) == 0) return;
      if (both[0].revents == 0) continue;
      const auto moved = move(client.get(), server.get(), until_cut());
      if (moved == 0) return;
      if (!count(moved)) continue;
      const linger now{1, 0};
      ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
      return;
    }
  }

  static std::size_t move(int from, int to, std::size_t limit) {
    char bytes[most];
    const auto got = ::recv(from, bytes, std::min(limit, most), 0);
    if (got <= 0) return 0;
    for (ssize_t done = 0; done < got;) {
      const auto put = ::send(to, bytes + done, static_cast<std::size_t>(got - done), MSG_NOSIGNAL);
      if (put <= 0) return 0;
      done += put;
    }
    return static_cast<std::size_t>(got);
  }

  std::size_t until_cut() {
    const std::lock_guard lock(mutex_);
    return cuts_.empty() ? most : cuts_.front();
  }
  // True: here it breaks.
  bool count(std::size_t moved) {
    sent_ += moved;
    const std::lock_guard lock(mutex_);
    if (cuts_.empty()) return false;
    cuts_.front() -= std::min(cuts_.front(), moved);
    if (cuts_.front() > 0) return false;
    cuts_.pop_front();
    return true;
  }

  static constexpr std::size_t most = 64 * 1024;
  std::uint16_t to_;
  base::UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::thread acceptor_;
  std::list<std::thread> workers_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> sent_ = 0;
  mutable std::mutex mutex_;  // guards cuts_
  std::deque<std::size_t> cuts_;
};

}  // namespace entrepot::test
