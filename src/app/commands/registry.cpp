// repository delete, read-only, reload, jobs, routes: short questions, short answers.
#include <boost/json.hpp>
#include <ostream>

#include "app/commands/command.hpp"
#include "app/commands/site.hpp"
#include "app/commands/words.hpp"
#include "entrepot/api/router.hpp"

namespace entrepot::app::commands {
namespace {

namespace json = boost::json;

async::Task<ExitStatus> delete_repository(Site& site, const DeleteRepository& command,
                                          Console& console) {
  Question order{.method = "DELETE", .path = "/api/v1/repositories"};
  order.query = {{"name", command.name}};
  const auto said = co_await site.ask(std::move(order));
  if (!said.is_good()) co_return complain(said, console);
  console.out << "deleted " << command.name << std::endl;
  co_return ExitStatus::clean;
}

async::Task<ExitStatus> read_only(Site& site, Switch wanted, Console& console) {
  Question question{.path = "/api/v1/read-only"};
  if (wanted != Switch::show) {
    question.method = "PUT";
    question.body = json::serialize(json::object{{"read_only", wanted == Switch::on}});
  }
  const auto said = co_await site.ask(std::move(question));
  if (!said.is_good()) co_return complain(said, console);
  console.out << (truth_of(object_of(said.body), "read_only") ? "on" : "off") << std::endl;
  co_return ExitStatus::clean;
}

async::Task<ExitStatus> reload(Site& site, Console& console) {
  Question order{.method = "POST", .path = "/api/v1/reload"};
  const auto said = co_await site.ask(std::move(order));
  if (said.is_good()) co_return ExitStatus::clean;
  const auto status = complain(said, console);
  // The daemon goes on with what it had; the file is what is wrong.
  co_return status == ExitStatus::usage ? ExitStatus::configuration : status;
}

async::Task<ExitStatus> list_jobs(Site& site, Output output, Console& console) {
  Question question{.path = "/api/v1/jobs"};
  const auto said = co_await site.ask(std::move(question));
  if (!said.is_good()) co_return complain(said, console);
  for (const auto& job : objects_of(object_of(said.body), "jobs")) {
    if (output == Output::json) {
      console.out << json::serialize(job) << '\n';
      continue;
    }
    console.out << number_of(job, "id") << "  " << text_of(job, "kind") << "  "
                << text_of(job, "state") << "  " << text_of(job, "started");
    if (const auto error = text_of(job, "error"); !error.empty()) console.out << "  " << error;
    console.out << '\n';
  }
  console.out.flush();
  co_return ExitStatus::clean;
}

}  // namespace

ExitStatus run(const DeleteRepository& command, Console& console) {
  return run_at(command.place, Daemonless::possible, console,
                [&](Site& site) { return delete_repository(site, command, console); });
}

ExitStatus run(const ReadOnlyMode& command, Console& console) {
  return run_at(command.place, Daemonless::pointless, console,
                [&](Site& site) { return read_only(site, command.wanted, console); });
}

ExitStatus run(const Reload& command, Console& console) {
  return run_at(command.place, Daemonless::pointless, console,
                [&](Site& site) { return reload(site, console); });
}

ExitStatus run(const ListJobs& command, Console& console) {
  return run_at(command.place, Daemonless::pointless, console,
                [&](Site& site) { return list_jobs(site, command.output, console); });
}

ExitStatus run(const Routes& command, Console& console) {
  const auto table = api::routes_json();
  if (command.output == Output::json) {
    console.out << table << std::endl;
    return ExitStatus::clean;
  }
  for (const auto& route : objects_of(object_of(table), "routes")) {
    console.out << text_of(route, "methods") << "  " << text_of(route, "pattern") << "  "
                << text_of(route, "need") << '\n';
  }
  console.out.flush();
  return ExitStatus::clean;
}

}  // namespace entrepot::app::commands
