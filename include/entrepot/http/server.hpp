// Accepts connections on every thread of a Runtime and turns each request into a Reply by asking
// the Handler. Below it nobody sees a socket.
//
// Every framing that could hide a second request is refused and the connection closed
// (reliability.md H-01 to H-15). Bodies go out by sendfile. A reply whose source fails midway ends
// with a reset connection, so a client can never take a short body for a whole one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "entrepot/async/runtime.hpp"
#include "entrepot/http/message.hpp"

namespace entrepot::http {

// A certificate chain and its key, and who may present certificates of their own.
struct TlsOptions {
  std::filesystem::path certificate;  // PEM, the chain
  std::filesystem::path key;
  std::filesystem::path client_ca;  // empty: client certificates are not asked for
  enum class Clients { may_present, must_present } clients = Clients::may_present;
};

// The keys of one TLS listener. reload() reads the files again: whoever connects from then on gets
// the new ones, open connections live on; a pair that does not fit is refused and the old one
// stays. Thread-safe.
class TlsKeys {
 public:
  // Throws std::runtime_error with a sentence naming the file.
  explicit TlsKeys(TlsOptions options);
  ~TlsKeys();
  TlsKeys(const TlsKeys&) = delete;
  TlsKeys& operator=(const TlsKeys&) = delete;

  void reload();
  // Reads again if a file has changed since (one stat each); false when that failed, which is
  // logged. For a timer.
  bool reload_if_changed();

 private:
  friend class TlsChannel;
  struct State;
  std::shared_ptr<State> state_;
};

// Where to listen. `address`: "ADDR:PORT", "[::1]:5000", or "unix:/path" (made 0660, an old socket
// of that name is replaced when nobody answers on it).
struct Listener {
  std::string address;
  std::shared_ptr<TlsKeys> tls;  // null: plain
  // The operator's own socket: requests of it are Via::control_socket; made 0600.
  enum class Purpose { service, control } purpose = Purpose::service;
};

struct ServerLimits {
  std::chrono::milliseconds header{10'000};  // to receive a whole request head
  std::chrono::milliseconds idle{75'000};    // between requests
  std::chrono::milliseconds stall{60'000};   // a reader that takes no byte this long is cut off
  // A body, or a reader of an answer, slower than this over a whole window after its first one is
  // cut off (reliability.md R-02). Only time spent waiting for the client counts.
  std::uint64_t least_bytes_per_second = 1024;
  std::chrono::milliseconds rate_window{30'000};
  // Open at once; 0: what RLIMIT_NOFILE allows when the Server is made but for an eighth, at least
  // 64, which is left to files, upstreams and the log (reliability.md R-03). One more makes the
  // thread it came to close the connection that has been idle there longest; while there is none,
  // nobody is accepted before a connection closes.
  std::size_t connections = 0;
};

// Peers whose X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host are believed; from all others
// these headers mean nothing. Addresses or CIDR blocks; Unix sockets: "unix".
struct TrustedProxies {
  std::vector<std::string> networks;
};

struct ServerCallbacks {
  Handler handler;
  Observer observer;                        // may be empty
  std::function<void()> connection_opened;  // may be empty
  std::function<void()> connection_closed;  // may be empty
};

// Made before the runtime runs and destroyed after it has stopped, but before the Runtime itself.
class Server {
 public:
  // Throws std::invalid_argument for a network of `proxies` that cannot be read.
  Server(async::Runtime& runtime, ServerCallbacks callbacks, ServerLimits limits = {},
         const TrustedProxies& proxies = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds once per thread with SO_REUSEPORT (port 0 picks one), a Unix socket once. Returns the
  // address bound. Throws std::system_error. Call before run().
  std::string listen(const Listener& listener);
  // Takes over a listening descriptor (systemd socket activation); shared by all threads. Call
  // before run().
  std::string adopt(int listening_fd, std::shared_ptr<TlsKeys> tls = nullptr);

  // Stops accepting and closes idle connections; running requests go on, and answer
  // `Connection: close`. Thread-safe.
  void stop_accepting();
  // After stop_accepting(): returns when every thread has let in whoever the kernel had accepted,
  // so that connections() and the callbacks have counted them all, or after `longest`. Thread-safe.
  async::Task<> accepting_ended(std::chrono::milliseconds longest);
  // Number of connections open; 0 means drained. Thread-safe.
  std::size_t connections() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace entrepot::http
