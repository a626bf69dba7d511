// sync, peers, replication: rules run by hand, and how they and the peers stand.
#include <boost/json.hpp>
#include <ostream>

#include "app/commands/command.hpp"
#include "app/commands/job.hpp"
#include "app/commands/progress_bar.hpp"
#include "app/commands/words.hpp"

namespace entrepot::app::commands {
namespace {

namespace json = boost::json;

std::string item_text(const json::object& item) {
  const auto reference = text_of(item, "reference");
  const bool digest = reference.find(':') != reference.npos;
  return text_of(item, "repository") + (reference.empty() ? "" : digest ? "@" : ":") + reference;
}

std::string plan_text(const json::object& item) {
  const auto outcome = text_of(item, "outcome");
  if (outcome == "conflict") return "would leave " + item_text(item) + ": changed on both sides";
  return "would " + outcome + ' ' + item_text(item);
}

void print_line(const json::object& item, const Sync& command, ProgressBar& bar, Console& console) {
  const auto outcome = text_of(item, "outcome");
  if (command.output == Output::json) {
    console.out << json::serialize(item) << '\n';
  } else if (command.trial == replication::Trial::dry) {
    console.out << plan_text(item) << '\n';
  } else if (outcome == "failed" || outcome == "conflict") {
    bar.clear();
    console.error << "entrepot: " << outcome << ": " << item_text(item) << '\n';
  }
}

std::string summary_text(const json::object& summary) {
  const bool dry = truth_of(summary, "dry_run");
  std::string text = count_text(number_of(summary, "tags"), "tag") + " in " +
                     count_text(number_of(summary, "repositories"), "repository") + ": ";
  text += dry ? "would set " : "set ";
  text += std::to_string(number_of(summary, "changed"));
  text += dry ? ", would remove " : ", removed ";
  text += std::to_string(number_of(summary, "removed"));
  if (const auto failed = number_of(summary, "failed")) {
    text += ", " + std::to_string(failed) + " failed";
  }
  if (const auto put_off = number_of(summary, "put_off")) {
    text += ", " + std::to_string(put_off) + " put off";
  }
  text += dry ? "; would move " : "; moved ";
  text += count_text(number_of(summary, "blobs_moved"), "blob") + " (" +
          size_text(number_of(summary, "bytes")) + "), ";
  return text + std::to_string(number_of(summary, "blobs_held")) + " held, " +
         std::to_string(number_of(summary, "blobs_mounted")) + " mounted";
}

// All that was to be done is done.
bool is_done(const json::object& summary) {
  return number_of(summary, "failed") == 0 && number_of(summary, "put_off") == 0 &&
         text_of(summary, "error").empty();
}

async::Task<ExitStatus> sync(Site& site, const Sync& command, Console& console) {
  Question order{.method = "POST", .path = "/api/v1/syncs"};
  order.query = {{"rule", command.rule}};
  if (command.trial == replication::Trial::dry) order.query.emplace_back("dry_run", "true");
  ProgressBar bar(console);
  JobListener listener;
  listener.progress = [&bar](std::uint64_t done, std::uint64_t total) { bar.at(done, total); };
  listener.line = [&](const std::string& line) {
    print_line(object_of(line), command, bar, console);
  };
  const auto end = co_await run_job(site, std::move(order), std::move(listener), console);
  bar.clear();
  if (end.status != ExitStatus::clean) co_return end.status;
  console.out << (command.output == Output::json ? json::serialize(end.summary)
                                                 : summary_text(end.summary))
              << std::endl;
  if (const auto error = text_of(end.summary, "error"); !error.empty()) {
    console.error << "entrepot: " << error << std::endl;
  }
  co_return is_done(end.summary) ? ExitStatus::clean : ExitStatus::refused;
}

std::string seconds_text(const json::object& object, const char* key, const std::string& words) {
  const auto* found = object.if_contains(key);
  if (!found || !found->is_number()) return {};
  boost::system::error_code ec;
  const auto seconds = found->to_number<double>(ec);
  return ec ? std::string()
            : "  " + std::to_string(static_cast<std::uint64_t>(seconds)) + " s " + words;
}

std::string lag_text(const json::object& object) {
  return seconds_text(object, "lag_seconds", "behind") +
         seconds_text(object, "clock_ahead_seconds", "ahead of our clock");
}

void print_peer(const json::object& peer, Console& console) {
  console.out << text_of(peer, "name") << "  " << text_of(peer, "kind") << "  "
              << (truth_of(peer, "reachable") ? "reachable" : text_of(peer, "error")) << '\n';
  for (const auto& rule : objects_of(peer, "rules")) {
    console.out << "  " << text_of(rule, "rule") << "  " << text_of(rule, "state") << lag_text(rule)
                << '\n';
  }
}

void print_rule(const json::object& rule, Console& console) {
  console.out << text_of(rule, "rule") << "  " << text_of(rule, "from") << " -> "
              << text_of(rule, "to") << "  " << text_of(rule, "state") << lag_text(rule);
  if (const auto last = text_of(rule, "last_ended"); !last.empty())
    console.out << "  last " << last;
  if (const auto waiting = number_of(rule, "waiting")) {
    console.out << "  " << count_text(waiting, "item") << " waiting";
  }
  if (const auto error = text_of(rule, "last_error"); !error.empty()) console.out << "  " << error;
  console.out << '\n';
}

void print_waiting(const json::object& item, Console& console) {
  console.out << text_of(item, "rule") << "  " << item_text(item) << "  "
              << count_text(number_of(item, "tries"), "try") << ", next "
              << text_of(item, "next_try") << "  " << text_of(item, "error") << '\n';
}

using Print = void (*)(const json::object& object, Console& console);

// Every object of a list that one question is answered with.
async::Task<ExitStatus> show(Site& site, Question question, std::string key, Output output,
                             Print print, Console& console) {
  const auto said = co_await site.ask(std::move(question));
  if (!said.is_good()) co_return complain(said, console);
  for (const auto& object : objects_of(object_of(said.body), key)) {
    if (output == Output::json) {
      console.out << json::serialize(object) << '\n';
    } else {
      print(object, console);
    }
  }
  console.out.flush();
  co_return ExitStatus::clean;
}

async::Task<ExitStatus> show_waiting(Site& site, Output output, Console& console) {
  Question question{.path = "/api/v1/replication"};
  const auto said = co_await site.ask(std::move(question));
  if (!said.is_good()) co_return complain(said, console);
  for (const auto& rule : objects_of(object_of(said.body), "rules")) {
    Question waiting{.path = "/api/v1/replication/waiting"};
    waiting.query = {{"rule", text_of(rule, "rule")}};
    const auto status =
        co_await show(site, std::move(waiting), "waiting", output, print_waiting, console);
    if (status != ExitStatus::clean) co_return status;
  }
  co_return ExitStatus::clean;
}

}  // namespace

ExitStatus run(const Sync& command, Console& console) {
  return run_at(command.place, Daemonless::possible, console,
                [&](Site& site) { return sync(site, command, console); });
}

ExitStatus run(const ListPeers& command, Console& console) {
  return run_at(command.place, Daemonless::possible, console, [&](Site& site) {
    return show(site, {.path = "/api/v1/peers"}, "peers", command.output, print_peer, console);
  });
}

ExitStatus run(const ShowReplication& command, Console& console) {
  return run_at(command.place, Daemonless::possible, console, [&](Site& site) {
    if (command.what == ShowReplication::What::waiting) {
      return show_waiting(site, command.output, console);
    }
    return show(site, {.path = "/api/v1/replication"}, "rules", command.output, print_rule,
                console);
  });
}

}  // namespace entrepot::app::commands
