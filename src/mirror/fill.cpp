#include "mirror/fill.hpp"

#include <algorithm>

namespace entrepot::mirror {

namespace {
constexpr std::uint64_t withheld_tail = 64 * 1024;
}  // namespace

std::uint64_t readable_unproven(std::uint64_t total) {
  return total > withheld_tail ? total - withheld_tail : 0;
}

Fill::Fill(const Origin& origin)
    : digest_(origin.digest),
      upstream_name_(origin.upstream_name),
      starter_(origin.canonical),
      repositories_{origin.canonical} {}

Fill::Progress Fill::progress() const {
  const std::lock_guard lock(mutex_);
  auto copy = state_;
  // Taken while the mutex is held: a change after this look moves the ticket on.
  copy.ticket = changed_.ticket();
  return copy;
}

async::Task<std::optional<Fill::Progress>> Fill::opened(std::chrono::milliseconds longest) {
  const auto until = std::chrono::steady_clock::now() + longest;
  for (;;) {
    auto now = progress();
    if (now.state != FillState::running || now.readable > 0) co_return now;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0) co_return std::nullopt;
    co_await changed_.wait(now.ticket, left);
  }
}

Fill::Admission Fill::admit(const oci::RepositoryName& repository, Entitled entitled) {
  const std::lock_guard lock(mutex_);
  if (closed_) return Admission::closed;
  if (entitled == Entitled::yes) repositories_.insert(repository);
  if (!repositories_.contains(repository)) return Admission::stranger;
  ++seats_;
  return Admission::admitted;
}

void Fill::leave() {
  const std::lock_guard lock(mutex_);
  --seats_;
}

void Fill::open(std::uint64_t total, std::shared_ptr<const base::UniqueFd> file,
                std::uint64_t written) {
  {
    const std::lock_guard lock(mutex_);
    state_.total = total;
    state_.file = std::move(file);
    state_.readable = std::min(written, readable_unproven(total));
  }
  changed_.notify_all();
}

void Fill::restart(std::shared_ptr<const base::UniqueFd> file) {
  {
    const std::lock_guard lock(mutex_);
    ++state_.generation;
    state_.file = std::move(file);
    state_.readable = 0;
  }
  changed_.notify_all();
}

void Fill::publish(std::uint64_t written) {
  {
    const std::lock_guard lock(mutex_);
    if (state_.state != FillState::running || !state_.total) return;
    const auto readable = std::min(written, readable_unproven(*state_.total));
    if (readable <= state_.readable) return;
    state_.readable = readable;
  }
  changed_.notify_all();
}

void Fill::prove() {
  {
    const std::lock_guard lock(mutex_);
    state_.readable = state_.total.value_or(0);
  }
  end(FillState::proven);
}

void Fill::fail(registry::Failure failure) {
  {
    const std::lock_guard lock(mutex_);
    if (state_.state == FillState::running) state_.failure = std::move(failure);
  }
  end(FillState::failed);
}

void Fill::give_over(Remainder remainder) {
  {
    const std::lock_guard lock(mutex_);
    state_.remainder = std::move(remainder);
  }
  end(FillState::unstorable);
}

void Fill::supersede() { end(FillState::superseded); }

void Fill::end(FillState state) {
  {
    const std::lock_guard lock(mutex_);
    if (state_.state != FillState::running) return;
    state_.state = state;
  }
  changed_.notify_all();
}

void Fill::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

void Fill::leave_table() {
  {
    const std::lock_guard lock(mutex_);
    gone_ = true;
  }
  left_.notify_all();
}

async::Task<bool> Fill::gone(std::chrono::milliseconds longest) {
  std::uint64_t ticket = 0;
  {
    const std::lock_guard lock(mutex_);
    if (gone_) co_return true;
    ticket = left_.ticket();
  }
  co_return co_await left_.wait(ticket, longest);
}

bool Fill::close_if_deserted() {
  const std::lock_guard lock(mutex_);
  if (seats_ > 0) return false;
  closed_ = true;
  return true;
}

std::set<oci::RepositoryName> Fill::repositories() const {
  const std::lock_guard lock(mutex_);
  return repositories_;
}

bool Fill::close_if_all_in(const std::set<oci::RepositoryName>& linked) {
  const std::lock_guard lock(mutex_);
  if (!std::ranges::includes(linked, repositories_)) return false;
  closed_ = true;
  return true;
}

}  // namespace entrepot::mirror
