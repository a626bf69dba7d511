// Watches what connections wait for. A thread's Sentinel looks at its connections a few times a
// second, so that neither a request nor a wait arms a timer or registers an event of its own:
// an idle connection costs nothing, a busy one two stores.
//
// Everything here belongs to one thread.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "entrepot/async/task.hpp"
#include "http/conn.hpp"
#include "http/pace.hpp"

namespace entrepot::http {

enum class Awaiting {
  nothing,
  next_request,  // the connection is idle: may be closed at any time
  request,       // the rest of a request has to arrive within the limit
  body,          // the limit is for the next bytes of a body, which has to keep its pace
  content,       // the handler or a byte source works; no limit, but the client has to stay
  reader,        // the client has to take bytes, at its pace: each one starts the limit anew
  farewell,      // we are through, the client has to close
};

class Sentinel;

class Vigil {
 public:
  Vigil(Conn& conn, Sentinel& sentinel);
  ~Vigil();
  Vigil(const Vigil&) = delete;
  Vigil& operator=(const Vigil&) = delete;

  void await(Awaiting what, std::chrono::milliseconds limit = {});
  // A body or an answer begins: it owes the least rate from here on.
  void begin_pace() { pace_.begin(); }
  // Closes the connection at once if it is idle.
  void dismiss();

  // The limit passed, and the connection's wait was cancelled.
  bool expired() const { return expired_; }
  // The client went while we awaited content; the task was cancelled.
  bool client_left() const { return client_left_; }
  // To be bound to the task of the connection.
  async::asio::cancellation_slot slot() { return signal_.slot(); }

 private:
  friend class Sentinel;
  using Time = std::chrono::steady_clock::time_point;
  void look(Time now);
  bool keeps_pace(Time now);
  void look_for_client();

  Conn& conn_;
  Sentinel& sentinel_;
  async::asio::cancellation_signal signal_;
  Awaiting awaiting_ = Awaiting::nothing;
  std::chrono::milliseconds limit_{};
  Time until_;
  Pace pace_;
  std::uint64_t acknowledged_ = 0;
  bool expired_ = false;
  bool client_left_ = false;
  std::size_t place_ = 0;  // in the sentinel's list
};

class Sentinel {
 public:
  Sentinel(async::asio::io_context& context, std::chrono::milliseconds interval, PaceRule pace);

  void dismiss_idle();
  // Of the idle connections, if there are any.
  void dismiss_longest_idle();

 private:
  friend class Vigil;
  void enter(Vigil& vigil);
  void leave(Vigil& vigil);
  void schedule();
  void look_around();

  async::asio::steady_timer timer_;
  std::chrono::milliseconds interval_;
  const PaceRule pace_;
  bool scheduled_ = false;
  std::vector<Vigil*> vigils_;
};

}  // namespace entrepot::http
