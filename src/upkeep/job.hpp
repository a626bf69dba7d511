// One job: what it tells, what others see of it. Thread-safe.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/upkeep/jobs.hpp"

namespace entrepot::upkeep {

class Job final : public Progress {
 public:
  Job(std::uint64_t id, std::string kind, base::WallTime started);

  void at(std::uint64_t done, std::uint64_t total, std::string_view unit) override;
  void line(std::string json) override;
  bool stop_wanted() const override { return stop_.load(std::memory_order_relaxed); }

  void stop() { stop_ = true; }
  void end(JobState state, std::string words, base::WallTime now);
  void drop_lines();

  bool running() const;
  // Without lines.
  JobStatus status() const;
  // With some of the lines from `line` on. Waits for the end or such lines.
  async::Task<JobStatus> status_from(std::uint64_t line, std::chrono::milliseconds longest) const;

  const std::uint64_t id;
  const std::string kind;

 private:
  JobStatus snapshot(std::uint64_t line) const;  // REQUIRES: mutex_ is held

  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;  // guards what follows
  JobStatus status_;
  std::vector<std::string> lines_;
  std::uint64_t line_count_ = 0;  // those that were not kept, too
  mutable async::Broadcast changed_;
};

}  // namespace entrepot::upkeep
