// A real Server on 127.0.0.1 and clients that speak raw bytes to it.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "entrepot/base/unique_fd.hpp"
#include "entrepot/base/units.hpp"
#include "entrepot/http/server.hpp"

namespace entrepot::http {

struct Observed {
  std::string method;
  std::string path;
  int status = 0;
  std::uint64_t bytes = 0;
  bool complete = false;
};

class Loopback {
 public:
  explicit Loopback(Handler handler, ServerLimits limits = {}, std::size_t threads = 1,
                    std::optional<int> adopted = {})
      : runtime_(threads), server_(runtime_, callbacks(std::move(handler)), limits) {
    address_ = adopted ? server_.adopt(*adopted)
                       : server_.listen({.address = "127.0.0.1:0", .tls = nullptr});
    thread_ = std::thread([this] { runtime_.run(); });
  }
  Loopback(Handler handler, const Listener& listener, ServerLimits limits = {},
           const TrustedProxies& proxies = {})
      : runtime_(1), server_(runtime_, callbacks(std::move(handler)), limits, proxies) {
    address_ = server_.listen(listener);
    thread_ = std::thread([this] { runtime_.run(); });
  }
  ~Loopback() {
    runtime_.stop();
    thread_.join();
  }

  Server& server() { return server_; }
  const std::string& address() const { return address_; }
  std::uint16_t port() const {
    const auto port = base::parse_unsigned(address_.substr(address_.rfind(':') + 1));
    return static_cast<std::uint16_t>(port.value());
  }
  int opened() const { return opened_; }
  // There is no memory for the next connection.
  void fail_next_connection() { failing_ = true; }

  std::vector<Observed> observed() {
    const std::lock_guard lock(mutex_);
    return observed_;
  }
  // Waits until `count` requests have ended.
  std::vector<Observed> observed(std::size_t count) {
    wait_until([&] { return observed().size() >= count; });
    return observed();
  }

  template <class Condition>
  static bool wait_until(Condition condition) {
    for (int i = 0; i < 5000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ADD_FAILURE() << "waited in vain";
    return false;
  }

 private:
  ServerCallbacks callbacks(Handler handler) {
    ServerCallbacks made;
    made.handler = std::move(handler);
    made.observer = [this](const Finished& finished) {
      const std::lock_guard lock(mutex_);
      observed_.push_back({finished.request.method, finished.request.target.path, finished.status,
                           finished.bytes_sent, finished.complete});
    };
    made.connection_opened = [this] {
      if (failing_.exchange(false)) throw std::bad_alloc();
      ++opened_;
    };
    made.connection_closed = [this] { --opened_; };
    return made;
  }

  std::mutex mutex_;  // guards observed_
  std::vector<Observed> observed_;
  std::atomic<int> opened_ = 0;
  std::atomic<bool> failing_ = false;
  async::Runtime runtime_;
  Server server_;
  std::string address_;
  std::thread thread_;
};

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;
  std::string body;
};

enum class Ending { end, reset, timeout };

class RawClient {
 public:
  explicit RawClient(const Loopback& server, int receive_buffer = 0,
                     const std::function<void()>& before_connecting = {})
      : fd_(::socket(is_unix(server) ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) {
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (before_connecting) before_connecting();
    if (is_unix(server)) {
      sockaddr_un name{};
      name.sun_family = AF_UNIX;
      server.address().substr(unix_prefix.size()).copy(name.sun_path, sizeof name.sun_path - 1);
      EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
      return;
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }

  int fd() const { return fd_.get(); }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void end_writing() { ::shutdown(fd_.get(), SHUT_WR); }
  void close() { fd_.reset(); }

  // One answer; status 0 when the connection ended before it was whole.
  Answer receive(bool has_body = true) {
    Answer answer;
    while (!buffer_.contains("\r\n\r\n")) {
      if (!fill()) return answer;
    }
    const auto end = buffer_.find("\r\n\r\n");
    parse_head(buffer_.substr(0, end + 2), answer);
    buffer_.erase(0, end + 4);
    const auto length = answer.headers.find("content-length");
    std::size_t wanted = 0;
    if (has_body && length != answer.headers.end()) wanted = std::stoul(length->second);
    while (buffer_.size() < wanted && fill()) {
    }
    answer.body = buffer_.substr(0, wanted);
    buffer_.erase(0, std::min(wanted, buffer_.size()));
    if (answer.body.size() < wanted) answer.status = 0;
    return answer;
  }

  // Reads until what was received contains `text` and at least `least` bytes; false when the
  // connection ends first.
  bool receive_some(std::string_view text, std::size_t least = 0) {
    least += buffer_.size();
    if (least == buffer_.size()) least = 0;
    while (buffer_.size() < least || !buffer_.contains(text)) {
      if (!fill()) return false;
    }
    return true;
  }

  // Everything until the connection ends, and how it does.
  std::string receive_all() {
    while (fill()) {
    }
    return std::exchange(buffer_, {});
  }
  Ending ending() {
    receive_all();
    return *ending_;
  }

 private:
  static constexpr std::string_view unix_prefix = "unix:";
  static bool is_unix(const Loopback& server) { return server.address().starts_with(unix_prefix); }

  bool fill() {
    if (ending_) return false;
    char bytes[65536];
    const auto size = ::recv(fd_.get(), bytes, sizeof bytes, 0);
    if (size <= 0) {
      ending_ = size == 0 ? Ending::end : errno == EAGAIN ? Ending::timeout : Ending::reset;
      return false;
    }
    buffer_.append(bytes, static_cast<std::size_t>(size));
    return true;
  }

  static void parse_head(std::string_view head, Answer& answer) {
    answer.status = std::stoi(std::string(head.substr(9, 3)));
    head.remove_prefix(head.find("\r\n") + 2);
    while (!head.empty()) {
      const auto line = head.substr(0, head.find("\r\n"));
      std::string name(line.substr(0, line.find(':')));
      for (auto& c : name) c = static_cast<char>(std::tolower(c));
      answer.headers[name] = line.substr(line.find(':') + 2);
      head.remove_prefix(line.size() + 2);
    }
  }

  base::UniqueFd fd_;
  std::string buffer_;
  std::optional<Ending> ending_;
};

// Sends `bytes`, then everything the server answers until it closes.
inline std::string converse(const Loopback& server, std::string_view bytes) {
  RawClient client(server);
  client.send(bytes);
  return client.receive_all();
}

inline std::string get(std::string_view path, std::string_view more = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(more) + "\r\n";
}

// Answers every request with its method and path.
inline async::Task<Reply> echo(const Request& request) {
  co_return text_reply(200, "text/plain", request.method + " " + request.target.path);
}

}  // namespace entrepot::http
