// The serving threads: one io_context each, a coroutine never leaves the one it was spawned on.
//
// Made by the app; http::Server puts one acceptor on each. run() blocks the calling thread (which
// becomes the first of them) until stop().
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "entrepot/async/task.hpp"

namespace entrepot::async {

class Runtime {
 public:
  // `threads` 0: as many as the process may use cores.
  explicit Runtime(std::size_t threads);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  std::size_t size() const { return contexts_.size(); }
  asio::io_context& context(std::size_t index) { return *contexts_[index]; }
  Executor executor(std::size_t index) { return contexts_[index]->get_executor(); }

  void run();
  // Thread-safe. Running coroutines are not resumed again; they are destroyed with the Runtime.
  void stop();

 private:
  std::vector<std::unique_ptr<asio::io_context>> contexts_;
};

}  // namespace entrepot::async
