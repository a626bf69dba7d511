#include "replication/crew.hpp"

#include <algorithm>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/async/cancellation.hpp"

namespace entrepot::replication {

namespace {

using async::asio::cancellation_signal;

// Touched on the caller's thread only.
struct Crew {
  std::size_t next = 0;
  std::size_t running = 0;
  bool called_off = false;
  std::exception_ptr failure;
  std::vector<std::unique_ptr<cancellation_signal>> signals;
  async::Broadcast ended;

  void call_off() {
    called_off = true;
    for (auto& signal : signals) signal->emit(async::asio::cancellation_type::terminal);
  }
};
using SharedCrew = std::shared_ptr<Crew>;

async::Task<> guarded(SharedCrew crew, async::Task<> task) {
  try {
    co_await std::move(task);
  } catch (...) {
    if (!crew->failure) crew->failure = std::current_exception();
  }
}

async::Task<> take_turns(SharedCrew crew, std::size_t count,
                         const std::function<async::Task<>(std::size_t)>& work) {
  while (!crew->failure && !crew->called_off && crew->next < count) {
    co_await guarded(crew, work(crew->next++));
  }
}

void begin(const SharedCrew& crew, const async::Executor& executor, async::Task<> task) {
  auto& signal = crew->signals.emplace_back(std::make_unique<cancellation_signal>());
  ++crew->running;
  async::spawn_cancellable(executor, std::move(task), "replication", signal->slot(), [crew] {
    --crew->running;
    crew->ended.notify_all();
  });
}

// Absent when the caller was cancelled.
async::Task<std::optional<bool>> hear(SharedCrew crew, std::chrono::milliseconds longest) {
  try {
    co_return co_await crew->ended.wait(crew->ended.ticket(), longest);
  } catch (const boost::system::system_error&) {
    co_return std::nullopt;
  }
}

constexpr std::chrono::hours no_limit{24 * 365};

// Returns when all have ended; members may refer to frames of their caller.
async::Task<Ended> see_off(SharedCrew crew, std::chrono::milliseconds longest) {
  Ended how = Ended::by_itself;
  bool aborted = false;
  // Else the next co_await would throw while they run.
  co_await async::asio::this_coro::throw_if_cancelled(false);
  while (crew->running > 0) {
    const auto heard = co_await hear(crew, crew->called_off ? no_limit : longest);
    if (heard && (*heard || crew->called_off)) continue;
    if (!heard) {
      aborted = true;
      co_await async::ignore_cancellation();
    } else {
      how = Ended::too_late;
    }
    crew->call_off();
  }
  co_await async::asio::this_coro::throw_if_cancelled(true);
  if (aborted) throw boost::system::system_error(async::asio::error::operation_aborted);
  co_return how;
}

}  // namespace

async::Task<> side_by_side(std::size_t count, std::size_t width,
                           std::function<async::Task<>(std::size_t)> work) {
  const auto executor = co_await async::this_executor();
  const auto crew = std::make_shared<Crew>();
  for (std::size_t i = 0; i < std::min(count, width); ++i) {
    begin(crew, executor, take_turns(crew, count, work));
  }
  co_await see_off(crew, no_limit);
  if (crew->failure) std::rethrow_exception(crew->failure);
}

async::Task<Ended> at_most(async::Task<> task, std::chrono::milliseconds longest) {
  const auto executor = co_await async::this_executor();
  const auto crew = std::make_shared<Crew>();
  begin(crew, executor, guarded(crew, std::move(task)));
  const auto how = co_await see_off(crew, longest);
  if (how == Ended::by_itself && crew->failure) std::rethrow_exception(crew->failure);
  co_return how;
}

}  // namespace entrepot::replication
