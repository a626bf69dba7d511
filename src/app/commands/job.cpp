#include "app/commands/job.hpp"

#include <boost/json.hpp>
#include <ostream>

#include "app/commands/words.hpp"

namespace entrepot::app::commands {
namespace {

// Short, so that the wish to stop is soon heard; the answer comes at once when there is news.
constexpr std::string_view patience = "1";

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

}  // namespace

async::Task<JobEnd> run_job(Site& site, Question order, JobListener listener, Console& console) {
  const auto started = co_await site.ask(std::move(order));
  if (!started.is_good()) co_return JobEnd{complain(started, console), {}};
  const auto path = "/api/v1/jobs/" + std::to_string(number_of(object_of(started.body), "job"));
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

}  // namespace entrepot::app::commands
