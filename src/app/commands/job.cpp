#include "app/commands/job.hpp"

#include <boost/json.hpp>
#include <optional>
#include <ostream>

#include "app/commands/words.hpp"

namespace entrepot::app::commands {
namespace {

// Short, so that the wish to stop is soon heard; the answer comes at once when there is news.
constexpr std::string_view patience = "1";
// Beyond the last one any job tells.
constexpr std::uint64_t no_lines = 1'000'000'000;

constexpr int conflict = 409;

std::string path_of(std::uint64_t job) { return "/api/v1/jobs/" + std::to_string(job); }

Question look(const std::string& path, std::uint64_t line) {
  Question question{.path = path};
  question.query = {{"wait", std::string(patience)}, {"line", std::to_string(line)}};
  return question;
}

void hand_on(const boost::json::object& job, const JobListener& listener) {
  if (const auto* lines = job.if_contains("lines"); lines && lines->is_array()) {
    for (const auto& line : lines->get_array()) {
      if (listener.line) listener.line(boost::json::serialize(line));
    }
  }
  if (listener.progress) listener.progress(number_of(job, "done"), number_of(job, "total"));
}

JobEnd end_of(const boost::json::object& job, Console& console) {
  const auto state = text_of(job, "state");
  JobEnd end;
  if (state == "done") {
    if (const auto* summary = job.if_contains("summary"); summary && summary->is_object()) {
      end.summary = summary->get_object();
    }
  } else if (state == "stopped") {
    console.error << "entrepot: stopped before its end\n";
    end.status = ExitStatus::try_later;
  } else {
    console.error << "entrepot: " << text_of(job, "error") << '\n';
    end.status = ExitStatus::refused;
  }
  return end;
}

std::optional<std::uint64_t> running(const boost::json::object& answer, std::string_view kind) {
  const auto* const jobs = answer.if_contains("jobs");
  if (jobs == nullptr || !jobs->is_array()) return std::nullopt;
  for (const auto& job : jobs->get_array()) {
    const auto& fields = job.as_object();
    if (text_of(fields, "kind") == kind && text_of(fields, "state") == "running") {
      return number_of(fields, "id");
    }
  }
  return std::nullopt;
}

async::Task<> wait_for_others(Site& site, std::string kind) {
  for (;;) {
    Question all{.path = "/api/v1/jobs"};
    const auto said = co_await site.ask(std::move(all));
    const auto job = running(object_of(said.body), kind);
    if (!job || interrupted()) co_return;
    auto end = look(path_of(*job), no_lines);
    co_await site.ask(std::move(end));
  }
}

async::Task<JobEnd> watch(Site& site, Said started, JobListener listener, Console& console) {
  if (!started.is_good()) co_return JobEnd{complain(started, console), {}};
  const auto path = path_of(number_of(object_of(started.body), "job"));
  std::uint64_t line = 0;
  bool told_to_stop = false;
  for (;;) {
    if (interrupted() && !told_to_stop) {
      told_to_stop = true;
      Question stop{.method = "DELETE", .path = path};
      co_await site.ask(std::move(stop));
    }
    auto question = look(path, line);
    const auto said = co_await site.ask(std::move(question));
    if (!said.is_good()) co_return JobEnd{complain(said, console), {}};
    const auto job = object_of(said.body);
    hand_on(job, listener);
    line = number_of(job, "next_line");
    const auto state = text_of(job, "state");
    if (state != "running") co_return end_of(job, console);
  }
}

}  // namespace

async::Task<JobEnd> run_job(Site& site, Question order, JobListener listener, Console& console) {
  auto started = co_await site.ask(std::move(order));
  co_return co_await watch(site, std::move(started), std::move(listener), console);
}

async::Task<JobEnd> run_job_after(Site& site, std::string kind, Question order,
                                  JobListener listener, Console& console) {
  auto question = order;
  auto started = co_await site.ask(std::move(question));
  if (started.status == conflict) {
    console.error << "entrepot: waiting for the " << kind << " that runs already" << std::endl;
  }
  while (started.status == conflict && !interrupted()) {
    co_await wait_for_others(site, kind);
    question = order;
    started = co_await site.ask(std::move(question));
  }
  co_return co_await watch(site, std::move(started), std::move(listener), console);
}

}  // namespace entrepot::app::commands
