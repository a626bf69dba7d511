// Starting one of the operator's jobs and watching it to its end.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "app/commands/site.hpp"

namespace entrepot::app::commands {

struct JobListener {
  std::function<void(const std::string& line)> line;  // a JSON object each
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

struct JobEnd {
  ExitStatus status = ExitStatus::clean;
  boost::json::object summary;  // empty unless it is done
};

// Starts it by `order`, hands on what it tells. An operator who asks us to stop stops the job,
// which is waited for. What went wrong is said on console.error: also that such a job runs already.
async::Task<JobEnd> run_job(Site& site, Question order, JobListener listener, Console& console);

// The same, after the job of this kind that runs already, begun by somebody else or the clock.
async::Task<JobEnd> run_job_after(Site& site, std::string kind, Question order,
                                  JobListener listener, Console& console);

}  // namespace entrepot::app::commands
