// gc, garbage-collect: what goes, why, and how many bytes.
#include <boost/json.hpp>
#include <ostream>

#include "app/commands/command.hpp"
#include "app/commands/job.hpp"
#include "app/commands/words.hpp"

namespace entrepot::app::commands {
namespace {

namespace json = boost::json;

std::string removal_text(const json::object& removal, upkeep::Trial trial) {
  const bool real = trial == upkeep::Trial::real;
  const auto kind = text_of(removal, "kind");
  std::string text =
      kind == "lost_row" ? (real ? "forgot" : "would forget") : (real ? "removed" : "would remove");
  text += ' ' + (kind == "unknown_file" ? std::string("file")
                 : kind == "lost_row"   ? std::string("row")
                                        : kind);
  if (const auto repository = text_of(removal, "repository"); !repository.empty()) {
    text += " in " + repository;
  }
  text += ' ' + text_of(removal, "digest");
  // A link weighs nothing: others may hold the same content.
  if (const auto bytes = number_of(removal, "bytes")) text += ' ' + size_text(bytes);
  return text + ": " + text_of(removal, "reason");
}

std::string summary_text(const json::object& summary, upkeep::Trial trial) {
  if (truth_of(summary, "too_early")) {
    return "nothing removed: the last run ended without a word on what it had promised to clients; "
           "a daemon may collect again one lease time (collect.lease) after its start";
  }
  if (truth_of(summary, "clock_jumped")) {
    return "nothing removed: the wall clock jumped, so how old things are is not known for one "
           "grace period";
  }
  std::string text = trial == upkeep::Trial::real ? "removed " : "would remove ";
  text += count_text(number_of(summary, "links"), "link") + ", ";
  text += count_text(number_of(summary, "manifests"), "manifest") + ", ";
  text += count_text(number_of(summary, "blobs"), "blob") + ": ";
  text += size_text(number_of(summary, "bytes"));
  if (const auto files = number_of(summary, "unknown_files")) {
    text += "; " + count_text(files, "unknown file") + " to trash";
  }
  if (const auto rows = number_of(summary, "lost_rows")) {
    text += "; " + count_text(rows, "blob") + " lost from the store";
  }
  return text;
}

async::Task<ExitStatus> collect(Site& site, const Collect& command, Console& console) {
  Question order{.method = "POST", .path = "/api/v1/collections"};
  if (command.trial == upkeep::Trial::dry_run) order.query.emplace_back("dry_run", "true");
  if (command.untagged) {
    const bool remove = *command.untagged == upkeep::Untagged::remove;
    order.query.emplace_back("delete_untagged", remove ? "true" : "false");
  }
  if (!command.grace.empty()) order.query.emplace_back("grace", command.grace);
  JobListener listener;
  listener.line = [&command, &console](const std::string& line) {
    if (command.output == Output::json) {
      console.out << line << '\n';
    } else {
      console.out << removal_text(object_of(line), command.trial) << '\n';
    }
  };
  // One that runs already may have begun before what ours is called for.
  const auto end =
      co_await run_job_after(site, "collection", std::move(order), std::move(listener), console);
  if (end.status != ExitStatus::clean) co_return end.status;
  if (command.output == Output::json) {
    console.out << json::serialize(end.summary) << std::endl;
  } else {
    console.out << summary_text(end.summary, command.trial) << std::endl;
  }
  const bool kept_hands_off =
      truth_of(end.summary, "too_early") || truth_of(end.summary, "clock_jumped");
  co_return kept_hands_off ? ExitStatus::try_later : ExitStatus::clean;
}

}  // namespace

ExitStatus run(const Collect& command, Console& console) {
  return run_at(command.place, Daemonless::possible, console,
                [&](Site& site) { return collect(site, command, console); });
}

}  // namespace entrepot::app::commands
