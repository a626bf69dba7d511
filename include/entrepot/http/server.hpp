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
#include <memory>
#include <string>
#include <vector>

#include "entrepot/async/runtime.hpp"
#include "entrepot/http/message.hpp"

namespace entrepot::http {

struct ServerLimits {
  std::chrono::milliseconds header{10'000};  // to receive a whole request head
  std::chrono::milliseconds idle{75'000};    // between requests
  std::chrono::milliseconds stall{60'000};   // a reader that takes no byte this long is cut off
  // Open at once; 0: what RLIMIT_NOFILE allows when the Server is made but for an eighth, at least
  // 64, which is left to files, upstreams and the log (reliability.md R-03). One more makes the
  // thread it came to close the connection that has been idle there longest; while there is none,
  // nobody is accepted before a connection closes.
  std::size_t connections = 0;
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
  Server(async::Runtime& runtime, ServerCallbacks callbacks, ServerLimits limits = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds "ADDR:PORT" ("[::1]:5000" too; port 0 picks one) once per thread with SO_REUSEPORT.
  // Returns the address bound. Throws std::system_error. Call before run().
  std::string listen(const std::string& address);
  // Takes over a listening descriptor (systemd socket activation); shared by all threads. Call
  // before run().
  std::string adopt(int listening_fd);

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
