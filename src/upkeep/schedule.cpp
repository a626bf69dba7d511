#include "entrepot/upkeep/schedule.hpp"

#include <exception>
#include <mutex>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/base/log.hpp"

namespace entrepot::upkeep {

struct Schedule::State {
  std::vector<Chore> chores;
  std::mutex mutex;  // guards stopped
  bool stopped = false;
  async::Broadcast ending;

  static async::Task<> repeat(std::shared_ptr<State> state, const Chore& chore);
  // False: it is over.
  async::Task<bool> rest(std::chrono::milliseconds duration);
};

async::Task<bool> Schedule::State::rest(std::chrono::milliseconds duration) {
  std::uint64_t ticket = 0;
  {
    const std::lock_guard lock(mutex);
    if (stopped) co_return false;
    ticket = ending.ticket();
  }
  co_return !co_await ending.wait(ticket, duration);
}

async::Task<> Schedule::State::repeat(std::shared_ptr<State> state, const Chore& chore) {
  auto pause = chore.first;
  while (co_await state->rest(pause)) {
    try {
      co_await chore.work();
    } catch (const std::exception& error) {
      base::log::error("chore failed", {{"chore", chore.what}, {"error", error.what()}});
    }
    pause = chore.every;
  }
}

Schedule::Schedule(std::vector<Chore> chores) : state_(std::make_shared<State>()) {
  std::erase_if(chores, [](const Chore& chore) { return chore.every.count() == 0; });
  state_->chores = std::move(chores);
}

Schedule::~Schedule() { stop(); }

void Schedule::start(async::Executor executor) {
  for (const auto& chore : state_->chores) {
    async::spawn(executor, State::repeat(state_, chore), chore.what);
  }
}

void Schedule::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopped = true;
  }
  state_->ending.notify_all();
}

}  // namespace entrepot::upkeep
