#include "mirror/fill_table.hpp"

#include <chrono>

#include "entrepot/base/log.hpp"
#include "entrepot/oci/refusal.hpp"
#include "mirror/download.hpp"

namespace entrepot::mirror {

namespace {
// Fills whose bytes are proven are let finish at shutdown: what remains is a sync and an index row.
constexpr std::chrono::seconds longest_commit{10};
}  // namespace

FillTable::FillTable(Collaborators collaborators, AbandonedFill abandoned)
    : state_(std::make_shared<State>(collaborators, abandoned)) {}

FillTable::~FillTable() {
  std::map<oci::Digest, std::shared_ptr<Download>> last;
  const std::lock_guard lock(state_->mutex);
  state_->stopping = true;
  last.swap(state_->downloads);
}

async::Task<> FillTable::stop() {
  const auto state = state_;
  std::vector<std::shared_ptr<Download>> running;
  {
    const std::lock_guard lock(state->mutex);
    state->stopping = true;
    for (const auto& [digest, download] : state->downloads) running.push_back(download);
  }
  for (const auto& download : running) download->request_halt();
  const auto deadline = std::chrono::steady_clock::now() + longest_commit;
  for (;;) {
    std::uint64_t ticket = 0;
    std::size_t left = 0;
    {
      const std::lock_guard lock(state->mutex);
      left = state->downloads.size();
      ticket = state->left.ticket();
    }
    if (left == 0) co_return;
    const auto remaining = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (remaining.count() <= 0 || !co_await state->left.wait(ticket, remaining)) {
      base::log::warn("fills not ended in time", {{"fills", left}});
      co_return;
    }
  }
}

FillTable::State::Entrance FillTable::State::enter(const Origin& origin, Fill::Entitled entitled,
                                                   const async::Executor& executor) {
  std::shared_ptr<Download> started;
  {
    const std::lock_guard lock(mutex);
    if (stopping) throw oci::Refusal(oci::ErrorCode::unavailable, "shutting down");
    const auto found = downloads.find(origin.digest);
    if (found != downloads.end()) return join(found->second->fill(), origin, entitled);
    started = std::make_shared<Download>(shared_from_this(), origin, executor);
    started->fill()->admit(origin.canonical, Fill::Entitled::yes);
    downloads.emplace(origin.digest, started);
  }
  // Not under the mutex: a task may run at once, and end at once.
  async::spawn(executor, Download::run(started), "fill");
  return Admitted{.seat = Seat(started->fill()), .place = Place::started};
}

FillTable::State::Entrance FillTable::State::join(const std::shared_ptr<Fill>& fill,
                                                  const Origin& origin, Fill::Entitled entitled) {
  switch (fill->admit(origin.canonical, entitled)) {
    case Fill::Admission::admitted:
      return Admitted{.seat = Seat(fill), .place = Place::joined};
    case Fill::Admission::stranger:
      return Stranger{.fill = fill};
    case Fill::Admission::closed:
      break;
  }
  return Closing{.fill = fill};
}

std::optional<std::uint64_t> FillTable::State::size_of(
    const oci::Digest& digest, const oci::RepositoryName& repository) const {
  std::shared_ptr<Fill> fill;
  {
    const std::lock_guard lock(mutex);
    const auto found = downloads.find(digest);
    if (found == downloads.end()) return std::nullopt;
    fill = found->second->fill();
  }
  if (!fill->repositories().contains(repository)) return std::nullopt;
  return fill->progress().total;
}

void FillTable::State::remove(const oci::Digest& digest) {
  {
    const std::lock_guard lock(mutex);
    downloads.erase(digest);
  }
  left.notify_all();
}

}  // namespace entrepot::mirror
