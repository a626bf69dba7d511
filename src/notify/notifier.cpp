#include "entrepot/notify/notifier.hpp"

#include <system_error>

#include "entrepot/base/log.hpp"
#include "notify/clerk.hpp"

namespace entrepot::notify {

struct Notifier::State {
  State(std::shared_ptr<Surroundings> around)
      : surroundings(std::move(around)),
        roster(std::make_shared<Roster>(surroundings)),
        clerk(std::make_shared<Clerk>(surroundings, roster)) {}

  // On the tasks' thread, where alone they can be cancelled.
  static async::Task<> cancel(std::shared_ptr<State> self) {
    self->roster->cancel_all();
    self->clerk->cancel();
    co_return;
  }

  static async::Task<> stop(std::shared_ptr<State> self) {
    if (!self->executor) co_return;
    async::spawn(*self->executor, cancel(self), "notifications");
    co_await self->clerk_ended.wait(0);
    co_await self->roster->ended();
    try {
      co_await self->clerk->close();
    } catch (const std::exception& error) {
      base::log::error("events not recorded", {{"error", error.what()}});
    }
  }

  const std::shared_ptr<Surroundings> surroundings;
  const std::shared_ptr<Roster> roster;
  const std::shared_ptr<Clerk> clerk;
  std::optional<async::Executor> executor;
  async::Broadcast clerk_ended;
};

Notifier::Notifier(index::Index& index, http::Client& client, const base::Clock& clock,
                   base::Metrics& metrics, std::vector<Receiver> receivers, std::string instance)
    : state_(std::make_shared<State>(
          std::make_shared<Surroundings>(index, client, clock, metrics, std::move(instance)))) {
  state_->roster->replace(std::move(receivers));
}

Notifier::~Notifier() = default;

bool Notifier::wanted(index::EventKind kind) const { return state_->roster->wanted(kind); }

void Notifier::pulled(index::Event event) {
  if (wanted(index::EventKind::pull)) state_->clerk->add(std::move(event));
}

void Notifier::wake() {
  state_->surroundings->written.notify_all();
  state_->surroundings->stirred.notify_all();
}

void Notifier::start(async::Executor executor) {
  state_->executor = executor;
  state_->roster->start(executor);
  async::spawn_cancellable(executor, Clerk::run(state_->clerk), "notifications",
                           state_->clerk->slot(),
                           [state = state_] { state->clerk_ended.notify_all(); });
}

async::Task<> Notifier::stop() { return State::stop(state_); }

void Notifier::replace(std::vector<Receiver> receivers) {
  state_->roster->replace(std::move(receivers));
  wake();
}

}  // namespace entrepot::notify
