// One curl multi handle on one io_context: curl says which descriptors and which timer it waits
// for, Asio waits, curl_multi_socket_action does the work. Not thread-safe: lives on one thread.
//
// curl forbids its own functions inside its callbacks, so these only arm waits; everything else
// happens in Asio handlers or in the coroutine that owns a transfer (libraries.md C3, C4).
#pragma once

#include <curl/curl.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "entrepot/async/task.hpp"

namespace entrepot::http {

// What a multi handle drives. Called on its thread; neither call may add or remove a transfer.
class CurlDriven {
 public:
  virtual CURL* easy() = 0;
  // What it goes over, now and then; curl itself does not tell before the end.
  virtual void goes_over(curl_socket_t fd) = 0;
  // The descriptor is about to be closed, whoever used it.
  virtual void lost(curl_socket_t fd) = 0;
  // The handle has left the multi handle.
  virtual void finished(CURLcode result) = 0;
  // As finished, but the loop itself ends: no timer of it may be touched from here on.
  virtual void abandoned() = 0;

 protected:
  ~CurlDriven() = default;
};

class CurlMulti : public std::enable_shared_from_this<CurlMulti> {
 public:
  explicit CurlMulti(async::Executor executor);
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  const async::Executor& executor() const { return executor_; }

  // The transfer is not owned; it removes itself before it dies, or hears finished/abandoned.
  void add(CurlDriven& transfer);
  // Aborts one that is running; no effect on one that is not here.
  void remove(CurlDriven& transfer);
  // Lets a paused transfer go on; bytes may arrive before this returns.
  void unpause(CurlDriven& transfer);

  // Ends every transfer and gives the descriptors back, while the io_context can still take them.
  void close();

  // For CURLOPT_CLOSESOCKETFUNCTION, whose calls come as late as close().
  static int close_socket(void* self, curl_socket_t fd);

 private:
  struct Watch;

  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void*);
  static int on_timer(CURLM*, long milliseconds, void* self);
  void watch(curl_socket_t fd, int what);
  void unwatch(curl_socket_t fd);
  void arm(const std::shared_ptr<Watch>& watch);
  void ready(const std::shared_ptr<Watch>& watch, int event);
  void set_timer(long milliseconds);
  void act(curl_socket_t fd, int event);
  void drain();

  async::Executor executor_;
  CURLM* handle_;
  std::optional<boost::asio::steady_timer> timer_;
  std::unordered_map<curl_socket_t, std::shared_ptr<Watch>> watches_;
  std::unordered_set<CurlDriven*> running_;
};

}  // namespace entrepot::http
