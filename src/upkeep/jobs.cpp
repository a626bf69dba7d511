#include "entrepot/upkeep/jobs.hpp"

#include <algorithm>
#include <deque>
#include <mutex>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/base/log.hpp"
#include "entrepot/oci/refusal.hpp"
#include "upkeep/job.hpp"

namespace entrepot::upkeep {

namespace {

constexpr std::size_t ended_kept = 100;
// Lines are what takes memory.
constexpr std::size_t ended_with_lines = 4;

std::string sentence_of(const std::exception& error) {
  const auto* const refusal = dynamic_cast<const oci::Refusal*>(&error);
  if (refusal == nullptr || !refusal->detail.empty()) return error.what();
  return std::string(oci::error_row(refusal->code).message);
}

}  // namespace

struct Jobs::State {
  explicit State(const base::Clock& c) : clock(c) {}

  const base::Clock& clock;
  std::mutex mutex;  // guards next_id, jobs
  std::uint64_t next_id = 1;
  std::deque<std::shared_ptr<Job>> jobs;  // by id
  async::Broadcast ended;

  std::shared_ptr<Job> add(std::string kind) {
    const std::lock_guard lock(mutex);
    const bool busy = std::ranges::any_of(
        jobs, [&](const auto& job) { return job->kind == kind && job->running(); });
    if (busy) return nullptr;
    return jobs.emplace_back(std::make_shared<Job>(next_id++, std::move(kind), clock.wall()));
  }
  std::shared_ptr<Job> find(std::uint64_t id) {
    const std::lock_guard lock(mutex);
    const auto found = std::ranges::find(jobs, id, &Job::id);
    return found == jobs.end() ? nullptr : *found;
  }
  std::vector<std::shared_ptr<Job>> running() {
    const std::lock_guard lock(mutex);
    std::vector<std::shared_ptr<Job>> found;
    std::ranges::copy_if(jobs, std::back_inserter(found),
                         [](const auto& job) { return job->running(); });
    return found;
  }
  void end(Job& job, JobState state, std::string words) {
    job.end(state, std::move(words), clock.wall());
    forget_old();
    ended.notify_all();
  }
  void forget_old() {
    const std::lock_guard lock(mutex);
    std::size_t over = 0;
    for (auto job = jobs.rbegin(); job != jobs.rend(); ++job) {
      if (!(*job)->running() && ++over > ended_with_lines) (*job)->drop_lines();
    }
    for (auto job = jobs.begin(); over > ended_kept && job != jobs.end();) {
      if ((*job)->running()) {
        ++job;
      } else {
        job = jobs.erase(job);
        --over;
      }
    }
  }

  static async::Task<> run(std::shared_ptr<State> state, std::shared_ptr<Job> job, Work work);
};

async::Task<> Jobs::State::run(std::shared_ptr<State> state, std::shared_ptr<Job> job, Work work) {
  try {
    auto summary = co_await work(job);
    state->end(*job, job->stop_wanted() ? JobState::stopped : JobState::done, std::move(summary));
  } catch (const std::exception& error) {
    base::log::error("job failed",
                     {{"job", job->id}, {"kind", job->kind}, {"error", error.what()}});
    state->end(*job, JobState::failed, sentence_of(error));
  }
}

std::string_view to_string(JobState state) {
  switch (state) {
    case JobState::running:
      return "running";
    case JobState::done:
      return "done";
    case JobState::failed:
      return "failed";
    case JobState::stopped:
      return "stopped";
  }
  return "failed";
}

Jobs::Jobs(const base::Clock& clock) : state_(std::make_shared<State>(clock)) {}

Jobs::~Jobs() {
  for (const auto& job : state_->running()) job->stop();
}

std::optional<std::uint64_t> Jobs::start(async::Executor executor, std::string kind, Work work) {
  auto job = state_->add(std::move(kind));
  if (!job) return std::nullopt;
  const auto id = job->id;
  async::spawn(executor, State::run(state_, std::move(job), std::move(work)), "job");
  return id;
}

async::Task<std::optional<JobStatus>> Jobs::status(std::uint64_t id, std::uint64_t line,
                                                   std::chrono::milliseconds longest) {
  const auto job = state_->find(id);
  if (!job) co_return std::nullopt;
  co_return co_await job->status_from(line, longest);
}

std::vector<JobStatus> Jobs::list() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<JobStatus> found;
  std::ranges::transform(state_->jobs, std::back_inserter(found),
                         [](const auto& job) { return job->status(); });
  return found;
}

bool Jobs::stop(std::uint64_t id) {
  const auto job = state_->find(id);
  if (!job) return false;
  job->stop();
  return true;
}

async::Task<> Jobs::stop_all(std::chrono::milliseconds longest) {
  const auto state = state_;
  const auto until = std::chrono::steady_clock::now() + longest;
  for (;;) {
    const auto ticket = state->ended.ticket();
    const auto running = state->running();
    for (const auto& job : running) job->stop();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (running.empty() || left <= std::chrono::milliseconds::zero()) co_return;
    co_await state->ended.wait(ticket, left);
  }
}

}  // namespace entrepot::upkeep
