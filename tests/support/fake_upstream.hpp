// A scripted HTTP server inside a unit test: answers byte for byte what the script says and records
// what it was asked. One thread for each connection, blocking sockets on 127.0.0.1.
//
//   FakeUpstream upstream;
//   upstream.on("GET /v2/app/blobs/", reply(200, "hello"), 1);   // once, then falls away
//   upstream.on("GET /v2/", [](Exchange& exchange) { exchange.send("HTTP/1.1 …"); });
//
// A script matches when the request line "METHOD target" contains its text; the first added that
// matches and is not used up answers. Nothing matches: 404. before_body() runs a script when the
// head is there and the body still to come.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace entrepot::test {

struct RecordedRequest {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int connection = 0;  // counts from 0: which connection it came on

  std::string line() const { return method + " " + target; }
  // The first value, or "-" when there is none.
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key.size() == name.size() && strncasecmp(key.data(), name.data(), name.size()) == 0)
        return value;
    return "-";
  }
};

class FakeUpstream;

// One request being answered.
class Exchange {
 public:
  Exchange(FakeUpstream& server, int fd, RecordedRequest request)
      : request(std::move(request)), server_(server), fd_(fd) {}

  void send(std::string_view bytes) {
    while (!bytes.empty() && !closed_) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        closed_ = true;
      else
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Bytes of the body, in a script that runs before it; 0: none are left to come.
  std::size_t receive(std::size_t most) {
    std::string bytes(most, '\0');
    const auto got = ::recv(fd_, bytes.data(), most, 0);
    if (got <= 0) closed_ = true;
    request.body.append(bytes, 0, got > 0 ? static_cast<std::size_t>(got) : 0);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  // Sleeps; ends early, closing, when the server is torn down.
  void wait(std::chrono::milliseconds time);
  void close() { closed_ = true; }
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    closed_ = true;
  }
  bool closed() const { return closed_; }

  RecordedRequest request;

 private:
  FakeUpstream& server_;
  int fd_;
  bool closed_ = false;
};

using Action = std::function<void(Exchange&)>;

class FakeUpstream {
 public:
  FakeUpstream() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      std::abort();
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~FakeUpstream() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    stopped_.notify_all();
    acceptor_.join();
    for (auto& each : workers_) each.join();
    ::close(listener_);
  }
  FakeUpstream(const FakeUpstream&) = delete;
  FakeUpstream& operator=(const FakeUpstream&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::uint16_t port() const { return port_; }

  static constexpr int always = 1 << 30;
  void on(std::string text, Action action, int times = always) {
    const std::lock_guard lock(mutex_);
    scripts_.push_back({std::move(text), std::move(action), times});
  }

  // What `action` answers comes before the body was read; unless it reads it, the connection ends.
  void before_body(std::string text, Action action, int times = always) {
    const std::lock_guard lock(mutex_);
    early_.push_back({std::move(text), std::move(action), times});
  }

  std::vector<RecordedRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::size_t count(std::string_view text) const {
    const std::lock_guard lock(mutex_);
    std::size_t found = 0;
    for (const auto& each : requests_)
      if (each.line().find(text) != std::string::npos) ++found;
    return found;
  }
  RecordedRequest last() const {
    const std::lock_guard lock(mutex_);
    return requests_.empty() ? RecordedRequest{} : requests_.back();
  }

  // False when the server is being torn down.
  bool sleep(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return !stopped_.wait_for(lock, time, [this] { return stopping_; });
  }

 private:
  struct Script {
    std::string text;
    Action action;
    int times;
  };

  void accept_all() {
    for (int number = 0;; ++number) {
      pollfd ready{listener_, POLLIN, 0};
      while (::poll(&ready, 1, 20) == 0)
        if (is_stopping()) return;
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      const std::lock_guard lock(mutex_);
      if (stopping_ || fd < 0) {
        if (fd >= 0) ::close(fd);
        return;
      }
      open_.push_back(fd);
      workers_.emplace_back([this, fd, number] { serve(fd, number); });
    }
  }

  bool is_stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  void serve(int fd, int number) {
    std::string buffer;
    RecordedRequest request;
    while (read_head(fd, buffer, request)) {
      request.connection = number;
      const auto early = answer_early(fd, buffer, request);
      if (early == Early::closes) break;
      if (early == Early::whole) {
        request = {};
        continue;
      }
      if (!read_body(fd, buffer, request)) break;
      Action action;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        action = choose(scripts_, request.line());
      }
      if (!action) action = raw_not_found;
      Exchange exchange(*this, fd, request);
      action(exchange);
      if (exchange.closed()) break;
      request = {};
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
  }

  // Whether such a script answered, and read the body to its end: only then does the connection
  // go on. A close that no answer announces would meet the client's next request half sent.
  enum class Early { none, whole, closes };

  Early answer_early(int fd, std::string& buffer, const RecordedRequest& request) {
    Action action;
    {
      const std::lock_guard lock(mutex_);
      action = choose(early_, request.line());
      if (action) requests_.push_back(request);
    }
    if (!action) return Early::none;
    Exchange exchange(*this, fd, request);
    exchange.request.body = std::exchange(buffer, {});
    action(exchange);
    const auto length = request.header("Content-Length");
    const bool whole = length != "-" && exchange.request.body.size() == std::stoul(length);
    return whole && !exchange.closed() ? Early::whole : Early::closes;
  }

  static Action choose(std::list<Script>& scripts, const std::string& line) {
    for (auto& script : scripts)
      if (script.times > 0 && line.find(script.text) != std::string::npos) {
        --script.times;
        return script.action;
      }
    return {};
  }

  static bool fill(int fd, std::string& buffer) {
    char piece[4096];
    const auto got = ::recv(fd, piece, sizeof piece, 0);
    if (got <= 0) return false;
    buffer.append(piece, static_cast<std::size_t>(got));
    return true;
  }

  static void raw_not_found(Exchange& exchange) {
    exchange.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  }

  static bool read_head(int fd, std::string& buffer, RecordedRequest& request) {
    std::size_t end = std::string::npos;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos)
      if (!fill(fd, buffer)) return false;
    std::string head = buffer.substr(0, end + 2);
    buffer.erase(0, end + 4);
    const auto first = head.find("\r\n");
    const std::string line = head.substr(0, first);
    request.method = line.substr(0, line.find(' '));
    const auto start = request.method.size() + 1;
    request.target = line.substr(start, line.rfind(' ') - start);
    for (std::size_t at = first + 2; at < head.size();) {
      const auto stop = head.find("\r\n", at);
      const std::string field = head.substr(at, stop - at);
      const auto colon = field.find(':');
      request.headers.emplace_back(field.substr(0, colon),
                                   colon + 2 <= field.size() ? field.substr(colon + 2) : "");
      at = stop + 2;
    }
    return true;
  }

  static bool read_body(int fd, std::string& buffer, RecordedRequest& request) {
    const auto length = request.header("Content-Length");
    const std::size_t size = length == "-" ? 0 : std::stoul(length);
    while (buffer.size() < size)
      if (!fill(fd, buffer)) return false;
    request.body = buffer.substr(0, size);
    buffer.erase(0, size);
    return true;
  }

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread acceptor_;
  mutable std::mutex mutex_;  // guards everything below
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::list<std::thread> workers_;
  std::vector<int> open_;
  std::list<Script> scripts_;
  std::list<Script> early_;
  std::vector<RecordedRequest> requests_;
};

inline void Exchange::wait(std::chrono::milliseconds time) {
  if (!server_.sleep(time)) closed_ = true;
}

// ---- the usual answers ------------------------------------------------------------------------

using Fields = std::vector<std::pair<std::string, std::string>>;

inline std::string head_text(int status, const Fields& fields) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " Scripted\r\n";
  for (const auto& [name, value] : fields) text += name + ": " + value + "\r\n";
  return text + "\r\n";
}

// With Content-Length; a HEAD request gets the head only.
inline Action reply(int status, std::string body, Fields fields = {}) {
  fields.emplace_back("Content-Length", std::to_string(body.size()));
  return [status, body = std::move(body), fields = std::move(fields)](Exchange& exchange) {
    exchange.send(head_text(status, fields));
    if (exchange.request.method != "HEAD") exchange.send(body);
  };
}

// Exactly these bytes, then FIN.
inline Action raw(std::string bytes) {
  return [bytes = std::move(bytes)](Exchange& exchange) {
    exchange.send(bytes);
    exchange.close();
  };
}

inline Action hang() {
  return [](Exchange& exchange) {
    exchange.wait(std::chrono::seconds(60));
    exchange.close();
  };
}

// Content that honours `Range: bytes=N-`; `cut` bytes after the head the connection ends (-1: all).
inline Action content(std::string body, long cut = -1, Fields fields = {}) {
  return [body = std::move(body), cut, fields = std::move(fields)](Exchange& exchange) {
    std::size_t first = 0;
    const auto range = exchange.request.header("Range");
    Fields all = fields;
    if (range.starts_with("bytes=")) {
      first = std::stoul(range.substr(6));
      all.emplace_back("Content-Range", "bytes " + std::to_string(first) + "-" +
                                            std::to_string(body.size() - 1) + "/" +
                                            std::to_string(body.size()));
    }
    const auto rest = std::string_view(body).substr(first);
    all.emplace_back("Content-Length", std::to_string(rest.size()));
    exchange.send(head_text(all.size() > fields.size() + 1 ? 206 : 200, all));
    if (exchange.request.method == "HEAD") return;
    exchange.send(rest.substr(0, cut < 0 ? rest.size() : static_cast<std::size_t>(cut)));
    if (cut >= 0) exchange.close();
  };
}

}  // namespace entrepot::test
