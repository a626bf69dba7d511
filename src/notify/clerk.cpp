#include "notify/clerk.hpp"

#include <algorithm>
#include <boost/system/system_error.hpp>

#include "entrepot/base/log.hpp"

namespace entrepot::notify {
namespace {

// A commit costs the disk a flush: what comes within this time shares one.
constexpr std::chrono::milliseconds gather(250);
constexpr std::chrono::seconds after_trouble(5);
// The index has one writer, and others wait for it.
constexpr std::size_t rows_at_once = 512;

// Every receiver of these has passed it; without any, everything there is.
std::uint64_t passed_by_all(const index::View& view, const std::vector<std::string>& names) {
  auto passed = index::last_event(view);
  for (const auto& name : names) passed = std::min(passed, index::receiver_position(view, name));
  return passed;
}

}  // namespace

void Clerk::add(index::Event pull) {
  const auto added = pulls_.add(std::move(pull));
  if (added == PullBuffer::Added::dropped) surroundings_->metrics.pull_events_dropped(1);
  if (added == PullBuffer::Added::first) surroundings_->stirred.notify_all();
}

async::Task<> Clerk::run(std::shared_ptr<Clerk> self) {
  for (;;) {
    try {
      co_await self->work();
    } catch (const boost::system::system_error&) {
      throw;  // cancelled
    } catch (const std::exception& error) {
      base::log::error("events not recorded", {{"error", error.what()}});
    }
    co_await async::sleep_for(after_trouble);
  }
}

async::Task<> Clerk::work() {
  for (;;) {
    const auto ticket = surroundings_->stirred.ticket();
    co_await write_pulls();
    co_await drop_passed();
    co_await show_waiting();
    co_await surroundings_->stirred.wait(ticket);
    co_await async::sleep_for(gather);
  }
}

async::Task<> Clerk::write_pulls() {
  for (;;) {
    const auto pulls = pulls_.take(rows_at_once);
    if (pulls.empty()) co_return;
    const auto names = roster_->names();
    const bool written = co_await surroundings_->index.write([&pulls, &names](index::Batch& batch) {
      if (index::last_event(batch) - passed_by_all(batch, names) > most_waiting) return false;
      for (const auto& pull : pulls) index::append_event(batch, pull);
      return true;
    });
    if (!written) surroundings_->metrics.pull_events_dropped(pulls.size());
    surroundings_->written.notify_all();
  }
}

async::Task<> Clerk::drop_passed() {
  for (;;) {
    const auto names = roster_->names();
    const bool any = co_await surroundings_->index.read([&names](const index::View& view) {
      const auto oldest = index::events(view, 0, 1);
      return !oldest.empty() && oldest.front().sequence <= passed_by_all(view, names);
    });
    if (!any) co_return;
    co_await surroundings_->index.write([&names](index::Batch& batch) {
      index::drop_events(batch, passed_by_all(batch, names), rows_at_once);
    });
  }
}

async::Task<> Clerk::show_waiting() {
  const auto last = co_await surroundings_->index.read(&index::last_event);
  for (const auto& courier : roster_->couriers()) {
    const std::uint64_t position = courier->position();
    surroundings_->metrics.notifications_waiting(courier->subscription()->receiver().name,
                                                 last - std::min(last, position));
  }
}

async::Task<> Clerk::close() {
  co_await write_pulls();
  std::vector<std::pair<std::string, std::uint64_t>> positions;
  for (const auto& courier : roster_->couriers())
    positions.emplace_back(courier->subscription()->receiver().name, courier->position());
  co_await surroundings_->index.write([&positions](index::Batch& batch) {
    for (const auto& [name, position] : positions) {
      if (position > index::receiver_position(batch, name))
        index::set_receiver_position(batch, name, position);
    }
  });
}

}  // namespace entrepot::notify
