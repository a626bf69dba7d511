// What the connections of one thread share, and what all threads share.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <vector>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/async/limiter.hpp"
#include "entrepot/http/server.hpp"
#include "http/block_pool.hpp"
#include "http/proxy_trust.hpp"
#include "http/vigil.hpp"

namespace entrepot::http {

// Immutable but for its atomics.
struct Service {
  Service(ServerCallbacks c, ServerLimits l, const TrustedProxies& p)
      : callbacks(std::move(c)), limits(l), proxies(p) {}

  // Threads that look at the same moment may let in one each.
  bool full() const { return connections >= limits.connections; }

  const ServerCallbacks callbacks;
  const ServerLimits limits;
  const ProxyTrust proxies;
  std::atomic<bool> draining = false;
  std::atomic<std::size_t> connections = 0;
  std::atomic<std::size_t> accept_loops = 0;
  async::Broadcast changed;  // a connection or an accept loop has ended, or draining has begun
};

// Belongs to one thread. Its connections keep it alive; it must not outlive its io_context.
struct Worker {
  Worker(async::asio::io_context& c, std::shared_ptr<Service> s);

  // Once the service is draining: ends the accept loops and closes what is idle.
  void drain();

  async::asio::io_context& context;
  const std::shared_ptr<Service> service;
  Sentinel sentinel;
  BlockPool blocks{std::size_t{256} << 10, 8};
  // Of what clients push: every piece costs a hop to the pool, four context switches.
  BlockPool body_blocks{std::size_t{1} << 20, 4};
  async::Limiter handshakes{1};
  std::vector<std::shared_ptr<async::asio::posix::stream_descriptor>> listeners;
};

}  // namespace entrepot::http
