#include "notify/roster.hpp"

#include <boost/asio/io_context.hpp>
#include <utility>

#include "entrepot/index/events.hpp"

namespace entrepot::notify {
namespace {

async::Task<> look_up_last(index::Index& index, Start& last) {
  last = co_await index.read([](const index::View& view) { return index::last_event(view); });
}

// Reads run in place (index.hpp): this one ends on the calling thread. Absent when it failed; to
// tell too much is better than to miss something.
Start behind_last_event(index::Index& index) {
  Start last;
  async::asio::io_context here(1);
  async::spawn(here.get_executor(), look_up_last(index, last), "notifications");
  here.run();
  return last;
}

}  // namespace

void Roster::replace(std::vector<Receiver> receivers) {
  std::vector<SharedSubscription> subscriptions;
  subscriptions.reserve(receivers.size());
  for (auto& receiver : receivers)
    subscriptions.push_back(std::make_shared<const Subscription>(std::move(receiver)));
  // Before anybody hears that the new ones are there: from then on they miss nothing.
  const auto now = behind_last_event(surroundings_->index);
  const std::lock_guard lock(mutex_);
  const auto start = executor_ ? now : Start();
  Couriers next;
  for (auto& subscription : subscriptions) {
    const auto& name = subscription->receiver().name;
    auto known = couriers_.extract(name);
    if (known) {
      known.mapped()->assign(std::move(subscription));
      next.insert(std::move(known));
    } else {
      const auto fresh = std::make_shared<Courier>(surroundings_, subscription, start);
      if (next.emplace(name, fresh).second) spawn(fresh);
    }
  }
  std::vector<std::shared_ptr<Courier>> gone;
  for (auto& [name, courier] : std::exchange(couriers_, std::move(next))) {
    surroundings_->metrics.notifications_waiting(name, 0);
    gone.push_back(std::move(courier));
  }
  note_wanted();
  if (executor_ && !gone.empty())
    async::spawn(*executor_, cancel(std::move(gone)), "notifications");
}

void Roster::start(async::Executor executor) {
  const std::lock_guard lock(mutex_);
  executor_ = std::move(executor);
  for (const auto& [name, courier] : couriers_) spawn(courier);
}

void Roster::spawn(const std::shared_ptr<Courier>& courier) {
  if (!executor_) return;
  ++running_;
  // The finishing touch holds the courier, and with it the signal behind the slot.
  async::spawn_cancellable(*executor_, Courier::run(courier), "notifications", courier->slot(),
                           [this, courier] { note_end(); });
}

void Roster::note_end() {
  {
    const std::lock_guard lock(mutex_);
    --running_;
  }
  one_ended_.notify_all();
}

void Roster::note_wanted() {
  using enum index::EventKind;
  for (const auto kind : {push, pull, removal, tag_moved, mount}) {
    bool anybody = false;
    for (const auto& [name, courier] : couriers_)
      anybody = anybody || courier->subscription()->wants(kind);
    wanted_[slot_of(kind)] = anybody;
  }
}

async::Task<> Roster::cancel(std::vector<std::shared_ptr<Courier>> couriers) {
  for (const auto& courier : couriers) courier->cancel();
  co_return;
}

void Roster::cancel_all() {
  std::vector<std::shared_ptr<Courier>> all;
  {
    const std::lock_guard lock(mutex_);
    executor_.reset();  // nobody is started any more
    for (const auto& [name, courier] : couriers_) all.push_back(courier);
  }
  for (const auto& courier : all) courier->cancel();
}

async::Task<> Roster::ended() {
  for (;;) {
    std::uint64_t ticket = 0;
    {
      const std::lock_guard lock(mutex_);
      if (running_ == 0) co_return;
      ticket = one_ended_.ticket();
    }
    co_await one_ended_.wait(ticket);
  }
}

std::vector<std::shared_ptr<Courier>> Roster::couriers() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Courier>> all;
  for (const auto& [name, courier] : couriers_) all.push_back(courier);
  return all;
}

std::vector<std::string> Roster::names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [name, courier] : couriers_) all.push_back(name);
  return all;
}

}  // namespace entrepot::notify
