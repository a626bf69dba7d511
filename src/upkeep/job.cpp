#include "upkeep/job.hpp"

#include <algorithm>

namespace entrepot::upkeep {

namespace {

constexpr std::size_t lines_kept = 100'000;
constexpr std::size_t lines_an_answer = 1000;

}  // namespace

Job::Job(std::uint64_t number, std::string name, base::WallTime started)
    : id(number), kind(std::move(name)) {
  status_.id = id;
  status_.kind = kind;
  status_.started = started;
}

void Job::at(std::uint64_t done, std::uint64_t total, std::string_view unit) {
  const std::lock_guard lock(mutex_);
  status_.done = done;
  status_.total = total;
  status_.unit = unit;
}

void Job::line(std::string json) {
  {
    const std::lock_guard lock(mutex_);
    ++line_count_;
    if (lines_.size() < lines_kept) lines_.push_back(std::move(json));
  }
  changed_.notify_all();
}

void Job::end(JobState state, std::string words, base::WallTime now) {
  {
    const std::lock_guard lock(mutex_);
    status_.state = state;
    status_.ended = now;
    (state == JobState::failed ? status_.error : status_.summary) = std::move(words);
  }
  changed_.notify_all();
}

void Job::drop_lines() {
  const std::lock_guard lock(mutex_);
  lines_ = {};
}

bool Job::running() const {
  const std::lock_guard lock(mutex_);
  return status_.state == JobState::running;
}

JobStatus Job::status() const {
  const std::lock_guard lock(mutex_);
  return snapshot(line_count_);
}

JobStatus Job::snapshot(std::uint64_t line) const {
  auto status = status_;
  const auto first = std::min<std::uint64_t>(line, lines_.size());
  const auto last = std::min<std::uint64_t>(first + lines_an_answer, lines_.size());
  status.lines.assign(lines_.begin() + static_cast<std::ptrdiff_t>(first),
                      lines_.begin() + static_cast<std::ptrdiff_t>(last));
  status.next_line = last == lines_.size() ? line_count_ : last;
  return status;
}

async::Task<JobStatus> Job::status_from(std::uint64_t line,
                                        std::chrono::milliseconds longest) const {
  std::uint64_t ticket = 0;
  {
    const std::lock_guard lock(mutex_);
    const bool news = status_.state != JobState::running || line_count_ > line;
    if (news || longest <= std::chrono::milliseconds::zero()) co_return snapshot(line);
    ticket = changed_.ticket();
  }
  co_await changed_.wait(ticket, longest);
  const std::lock_guard lock(mutex_);
  co_return snapshot(line);
}

}  // namespace entrepot::upkeep
