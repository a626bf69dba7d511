#include "entrepot/registry/movers.hpp"

#include <map>
#include <mutex>
#include <utility>

#include "entrepot/async/limiter.hpp"

namespace entrepot::registry {

struct Movers::Table {
  struct Queue {
    async::Limiter one{1};
    std::size_t users = 0;  // in it, or waiting
  };
  std::mutex mutex;  // guards queues
  std::map<oci::Digest, std::shared_ptr<Queue>> queues;

  std::shared_ptr<Queue> join(const oci::Digest& digest) {
    const std::lock_guard lock(mutex);
    auto& queue = queues[digest];
    if (!queue) queue = std::make_shared<Queue>();
    ++queue->users;
    return queue;
  }
  void leave(const oci::Digest& digest) {
    const std::lock_guard lock(mutex);
    const auto found = queues.find(digest);
    if (--found->second->users == 0) queues.erase(found);
  }
};

struct Movers::Turn::State {
  State(std::shared_ptr<Table> the_table, const oci::Digest& the_digest)
      : table(std::move(the_table)), digest(the_digest), queue(table->join(digest)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    permit = {};
    table->leave(digest);
  }

  const std::shared_ptr<Table> table;
  const oci::Digest digest;
  const std::shared_ptr<Table::Queue> queue;
  async::Limiter::Permit permit;
};

Movers::Turn::Turn(std::unique_ptr<State> state) : state_(std::move(state)) {}
Movers::Turn::Turn(Turn&&) noexcept = default;
Movers::Turn::~Turn() = default;

Movers::Movers() : table_(std::make_shared<Table>()) {}
Movers::~Movers() = default;

async::Task<std::optional<Movers::Turn>> Movers::turn(oci::Digest digest,
                                                      std::chrono::milliseconds longest) {
  auto state = std::make_unique<Turn::State>(table_, digest);
  auto permit = co_await state->queue->one.acquire(longest);
  if (!permit) co_return std::nullopt;
  state->permit = std::move(*permit);
  co_return Turn(std::move(state));
}

}  // namespace entrepot::registry
