#include "index/committer.hpp"

#include <chrono>
#include <iterator>
#include <memory>
#include <utility>

#include "entrepot/index/journal.hpp"
#include "index/lmdb_error.hpp"
#include "index/lmdb_view.hpp"

namespace entrepot::index {
namespace {

// A group ends at any of these, so that nobody waits long for others' work and a transaction's
// dirty pages stay few (reliability.md B-08).
constexpr std::size_t most_writes = 1000;
constexpr std::size_t most_bytes = 16 * mebibyte;
constexpr auto longest_work = std::chrono::milliseconds(5);

constexpr auto reader_check_period = std::chrono::minutes(1);

std::exception_ptr as_exception(int code) {
  try {
    throw_lmdb(code, "write");
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace

Committer::Committer(Environment& environment,
                     std::function<void(std::uint64_t newest)> journal_grown)
    : environment_(environment),
      journal_grown_(std::move(journal_grown)),
      thread_([this] { run(); }) {}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

async::Task<> Committer::commit(std::function<void(Batch&)> work) {
  const auto write = std::make_shared<PendingWrite>(std::move(work));
  const PendingWrite::FrameGuard guard(*write);
  add(write);
  co_await write->done();
  // Taken, so that the exception ends here and not with the Committer's reference to the write.
  if (auto failure = std::exchange(write->failure, nullptr)) {
    std::rethrow_exception(std::move(failure));
  }
}

void Committer::add(std::shared_ptr<PendingWrite> write) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(write));
  }
  changed_.notify_one();
}

void Committer::run() {
  for (;;) {
    auto group = next_group();
    if (group.empty()) return;
    std::erase_if(group, [](const auto& write) { return !write->start(); });
    settle(group);
  }
}

// Empty: stopping, and nothing waits.
std::vector<std::shared_ptr<PendingWrite>> Committer::next_group() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, reader_check_period,
                            [this] { return stopping_ || !waiting_.empty(); })) {
    lock.unlock();
    environment_.check_readers();
    lock.lock();
  }
  if (waiting_.size() <= most_writes) return std::exchange(waiting_, {});
  const auto end = waiting_.begin() + most_writes;
  std::vector group(std::move_iterator(waiting_.begin()), std::move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return group;
}

// Brings every write of the group to its end. Each runs at most a few times: what a throw undoes
// is committed by itself next.
void Committer::settle(Group group) {
  while (!group.empty()) {
    const auto result = attempt(group);
    switch (result.ending) {
      case Ending::committed:
        release(group.first(result.count));
        group = group.subspan(result.count);
        break;
      case Ending::threw:
        settle(group.first(result.count));
        release(group.subspan(result.count, 1));
        group = group.subspan(result.count + 1);
        break;
      case Ending::full:
        if (result.code == MDB_MAP_FULL && environment_.grow()) break;
        settle_full(group.first(result.count), result);
        group = group.subspan(result.count);
        break;
      case Ending::failed:
        for (const auto& write : group.first(result.count)) fail(*write, as_exception(result.code));
        group = group.subspan(result.count);
        break;
    }
  }
}

// No room: one by one, so that the small ones still get in and those that erase make room.
void Committer::settle_full(Group group, const Attempt& result) {
  if (group.size() > 1) {
    for (std::size_t i = 0; i < group.size(); ++i) settle(group.subspan(i, 1));
    return;
  }
  if (result.code == MDB_MAP_FULL && result.erases && environment_.open_reserve()) {
    const auto second = attempt(group);
    environment_.close_reserve();
    if (second.ending == Ending::committed || second.ending == Ending::threw) {
      release(group);
      return;
    }
  }
  fail(*group.front(),
       std::make_exception_ptr(IndexFull("index: no room left on the disk or in the map")));
}

Committer::Attempt Committer::attempt(Group group) {
  const auto deadline = std::chrono::steady_clock::now() + longest_work;
  std::size_t count = 0;
  std::size_t bytes = 0;
  bool erases = false;
  WriteTransaction txn(environment_);
  if (txn.begun() != MDB_SUCCESS) return ended_with(txn.begun(), group.size(), false);
  for (const auto& write : group) {
    LmdbBatch batch(txn.get(), environment_.tree());
    write->failure = nullptr;
    try {
      write->work(batch);
    } catch (...) {
      write->failure = std::current_exception();
    }
    erases = erases || batch.erases();
    if (batch.failure() != 0) return ended_with(batch.failure(), count + 1, erases);
    if (write->failure) return {Ending::threw, count};
    ++count;
    bytes += batch.bytes();
    if (bytes >= most_bytes || std::chrono::steady_clock::now() >= deadline) break;
  }
  return commit(txn, count, erases);
}

Committer::Attempt Committer::commit(WriteTransaction& txn, std::size_t count, bool erases) {
  const auto newest = newest_change(LmdbView(txn.get(), environment_.tree()));
  const int code = txn.commit();
  if (code != MDB_SUCCESS) return ended_with(code, count, erases);
  if (newest != std::exchange(newest_row_, newest)) journal_grown_(newest);
  return {Ending::committed, count};
}

Committer::Attempt Committer::ended_with(int code, std::size_t count, bool erases) {
  if (is_fatal(code)) die_of(code, "write");
  return {is_full(code) ? Ending::full : Ending::failed, count, code, erases};
}

void Committer::release(Group group) {
  for (const auto& write : group) write->finish();
}

void Committer::fail(PendingWrite& write, std::exception_ptr&& failure) {
  write.failure = std::move(failure);
  write.finish();
}

}  // namespace entrepot::index
