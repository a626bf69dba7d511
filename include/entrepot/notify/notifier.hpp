// Webhooks: what happened here, told to others in the event envelope of Docker's registry, so that
// receivers made for it work (distribution "notifications").
//
// Events wait on disk (index/events.hpp), written by the transaction they tell of; each receiver
// has a position of its own there and gets every event at least once, in order, also after a
// restart. A failed delivery is tried again with backoff (1 s to 5 min) until `keep` has passed,
// then dropped and counted. Pulls are recorded in batches, best effort. Signed:
// X-Entrepot-Signature: sha256=<HMAC of the body>. One task a receiver; thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/base/glob.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/http/client.hpp"
#include "entrepot/index/events.hpp"
#include "entrepot/index/index.hpp"

namespace entrepot::notify {

struct Receiver {
  std::string name;
  std::string url;
  std::string secret;  // empty: not signed
  std::vector<std::pair<std::string, std::string>> headers;
  std::set<index::EventKind> events;
  std::vector<std::string> repositories;  // globs; empty: all
  std::chrono::milliseconds keep{std::chrono::days(7)};
  std::shared_ptr<const http::Transport> transport;
};

class Notifier {
 public:
  // `instance` names this daemon in the envelope's source.
  Notifier(index::Index& index, http::Client& client, const base::Clock& clock,
           base::Metrics& metrics, std::vector<Receiver> receivers, std::string instance);
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Whether anybody wants events of this kind: then the change's transaction writes a row.
  bool wanted(index::EventKind kind) const;
  // Somebody pulled a manifest; kept in memory until the next batch is written.
  void pulled(index::Event event);
  // Rows may have been added.
  void wake();

  // Spawns the tasks; REQUIRES that stop() ends before the executor's context does.
  void start(async::Executor executor);
  async::Task<> stop();

  // New receivers; those that stay by name keep their position, others begin with what happens from
  // now on.
  void replace(std::vector<Receiver> receivers);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// The envelope as sent, for tests: one event.
std::string render_envelope(const index::Event& event, std::string_view instance);

}  // namespace entrepot::notify
