// Long work the operator asked for (collection, adoption, export): runs as a task of its own, can
// be watched and stopped, and is remembered for a while after its end (the last hundred, the last
// four with their lines). One of a kind at a time. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"

namespace entrepot::upkeep {

// How a job tells where it is; its calls are cheap and thread-safe.
class Progress {
 public:
  virtual ~Progress() = default;
  // `total` 0: not known.
  virtual void at(std::uint64_t done, std::uint64_t total, std::string_view unit) = 0;
  // A line of the job's result, kept in order; beyond 100 000 lines only counted.
  virtual void line(std::string json) = 0;
  virtual bool stop_wanted() const = 0;
};

enum class JobState { running, done, failed, stopped };
std::string_view to_string(JobState state);

struct JobStatus {
  std::uint64_t id = 0;
  std::string kind;
  JobState state = JobState::running;
  base::WallTime started;
  std::optional<base::WallTime> ended;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::string unit;
  std::string summary;             // JSON object text, once done
  std::string error;               // a sentence, once failed
  std::vector<std::string> lines;  // from the asked position on, a thousand at most
  std::uint64_t next_line = 0;     // where to go on asking
};

class Jobs {
 public:
  explicit Jobs(const base::Clock& clock);
  ~Jobs();

  // The work answers a summary (JSON). Absent when one of this kind runs already.
  using Work = std::function<async::Task<std::string>(std::shared_ptr<Progress> progress)>;
  std::optional<std::uint64_t> start(async::Executor executor, std::string kind, Work work);

  // Waits up to `longest` for the end or lines beyond `line`; absent: no such job.
  async::Task<std::optional<JobStatus>> status(std::uint64_t id, std::uint64_t line,
                                               std::chrono::milliseconds longest);
  std::vector<JobStatus> list() const;
  bool stop(std::uint64_t id);
  // Asks all to stop and waits for them.
  async::Task<> stop_all(std::chrono::milliseconds longest);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace entrepot::upkeep
