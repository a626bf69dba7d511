// bundle want, create, apply, key: images carried to where no line leads.
#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <ostream>

#include "app/commands/command.hpp"
#include "app/commands/job.hpp"
#include "app/commands/progress_bar.hpp"
#include "app/commands/words.hpp"

namespace entrepot::app::commands {
namespace {

namespace json = boost::json;

// The daemon stands in a directory of its own.
std::string absolute(const std::string& path) { return std::filesystem::absolute(path).string(); }

void add(Question& order, const char* key, const std::string& value) {
  if (!value.empty()) order.query.emplace_back(key, value);
}

void add_path(Question& order, const char* key, const std::string& path) {
  if (!path.empty()) order.query.emplace_back(key, absolute(path));
}

// As many as the shell made of a wildcard: a query has an end.
void add_list(Question& order, const char* key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  json::array list;
  for (const auto& value : values) list.emplace_back(value);
  order.body = json::serialize(json::object{{key, std::move(list)}});
}

struct Printer {
  Output output;
  void (*print)(const json::object& summary, Console& console);
};

// A job with a bar, whose lines are troubles with files.
async::Task<JobEnd> carry_out(Site& site, Question order, Printer printer, Console& console) {
  ProgressBar bar(console);
  JobListener listener;
  listener.progress = [&bar](std::uint64_t done, std::uint64_t total) { bar.at(done, total); };
  listener.line = [&bar, &console](const std::string& line) {
    bar.clear();
    const auto told = object_of(line);
    console.error << "entrepot: " << text_of(told, "volume") << ": " << text_of(told, "trouble")
                  << '\n';
  };
  auto end = co_await run_job(site, std::move(order), std::move(listener), console);
  bar.clear();
  if (end.status != ExitStatus::clean) co_return end;
  if (printer.output == Output::json) {
    console.out << json::serialize(end.summary) << std::endl;
  } else {
    printer.print(end.summary, console);
  }
  co_return end;
}

void print_want(const json::object& summary, Console& console) {
  console.out << text_of(summary, "file") << ": " << size_text(number_of(summary, "bytes"))
              << " for " << count_text(number_of(summary, "digests"), "digest") << " in "
              << count_text(number_of(summary, "repositories"), "repository") << '\n'
              << "signed with " << text_of(summary, "key") << std::endl;
}

// Names of theirs are shown without control characters.
std::vector<std::string> texts_of(const json::object& summary, std::string_view key) {
  std::vector<std::string> texts;
  const auto* list = summary.if_contains(key);
  if (!list || !list->is_array()) return texts;
  for (const auto& item : list->get_array()) {
    if (item.is_string()) texts.push_back(text_of({{"text", item}}, "text"));
  }
  return texts;
}

void print_bundle(const json::object& summary, Console& console) {
  console.out << "bundle " << text_of(summary, "bundle") << ": "
              << count_text(number_of(summary, "images"), "image") << ", "
              << size_text(number_of(summary, "bytes")) << " of content; left out "
              << size_text(number_of(summary, "held_bytes")) << " that the receiver holds\n";
  if (const auto deleted = number_of(summary, "removals")) {
    console.out << count_text(deleted, "deletion") << " told\n";
  }
  for (const auto& volume : texts_of(summary, "volumes")) console.out << "  " << volume << '\n';
  if (const auto lost = number_of(summary, "not_found")) {
    console.out << count_text(lost, "digest") << " asked for are not here\n";
  }
  console.out.flush();
}

std::string names_of(const json::object& bundle, std::string_view key) {
  std::string text;
  const auto* list = bundle.if_contains(key);
  if (!list || !list->is_array()) return text;
  for (const auto& item : list->get_array()) {
    if (!text.empty()) text += ", ";
    text += item.is_string() ? std::string(item.get_string()) : json::serialize(item);
  }
  return text;
}

void print_application(const json::object& bundle, Console& console) {
  console.out << "bundle " << text_of(bundle, "bundle") << " from " << text_of(bundle, "from")
              << ": " << text_of(bundle, "state") << "; "
              << count_text(number_of(bundle, "images"), "image") << ", "
              << count_text(number_of(bundle, "blobs"), "blob") << " ("
              << size_text(number_of(bundle, "bytes")) << ") brought, "
              << count_text(number_of(bundle, "tags"), "tag") << " set\n";
  const std::pair<const char*, const char*> lists[] = {
      {"damaged", "damaged"}, {"rebuilt", "rebuilt by parity: volume"}, {"lost", "lost: volume"}};
  for (const auto& [key, words] : lists) {
    if (const auto names = names_of(bundle, key); !names.empty()) {
      console.out << "  " << words << ' ' << names << '\n';
    }
  }
  for (const auto& name : texts_of(bundle, "removed")) console.out << "  removed " << name << '\n';
  if (const auto kept = number_of(bundle, "kept")) {
    console.out << "  " << count_text(kept, "deletion") << " older than what was done here\n";
  }
  if (const auto refused = number_of(bundle, "refused")) {
    console.out << "  " << count_text(refused, "tag") << " may not be changed here\n";
  }
  if (const auto missing = number_of(bundle, "missing")) {
    const auto ask = text_of(bundle, "ask");
    console.out << "  missing: " << count_text(missing, "digest") << " ("
                << size_text(number_of(bundle, "missing_bytes")) << "); "
                << (ask.empty() ? "--ask FILE writes what to ask for" : "to ask for: " + ask)
                << '\n';
  }
}

void print_applications(const json::object& summary, Console& console) {
  for (const auto& bundle : objects_of(summary, "bundles")) print_application(bundle, console);
  if (summary.contains("abandoned")) {
    console.out << "forgot " << count_text(number_of(summary, "abandoned"), "bundle") << '\n';
  }
  console.out.flush();
}

bool all_here(const json::object& summary) {
  if (summary.contains("abandoned")) return number_of(summary, "abandoned") > 0;
  const auto bundles = objects_of(summary, "bundles");
  return !bundles.empty() && std::ranges::all_of(bundles, [](const json::object& bundle) {
    const auto state = text_of(bundle, "state");
    return (state == "done" || state == "held") && number_of(bundle, "refused") == 0;
  });
}

async::Task<ExitStatus> want(Site& site, const WriteWant& command, Console& console) {
  Question order{.method = "POST", .path = "/api/v1/wants"};
  add_path(order, "file", command.file);
  add_list(order, "repositories", command.repositories);
  const auto end =
      co_await carry_out(site, std::move(order), {command.output, print_want}, console);
  co_return end.status;
}

async::Task<ExitStatus> create(Site& site, const CreateBundle& command, Console& console) {
  Question order{.method = "POST", .path = "/api/v1/bundles"};
  add_path(order, "directory", command.directory);
  add(order, "rule", command.rule);
  add_list(order, "references", command.images);
  add_path(order, "want", command.want);
  add_path(order, "again", command.again);
  add(order, "volume_size", command.volume_size);
  if (command.parity > 0) add(order, "parity", std::to_string(command.parity));
  const auto end =
      co_await carry_out(site, std::move(order), {command.output, print_bundle}, console);
  if (end.status != ExitStatus::clean) co_return end.status;
  co_return number_of(end.summary, "not_found") > 0 ? ExitStatus::refused : ExitStatus::clean;
}

async::Task<ExitStatus> apply(Site& site, const ApplyBundle& command, Console& console) {
  Question order{.method = "POST", .path = "/api/v1/bundle-applications"};
  std::vector<std::string> paths;
  paths.reserve(command.paths.size());
  for (const auto& path : command.paths) paths.push_back(absolute(path));
  add_list(order, "paths", paths);
  add_path(order, "ask", command.ask);
  add(order, "abandon", command.abandon);
  const auto end =
      co_await carry_out(site, std::move(order), {command.output, print_applications}, console);
  if (end.status != ExitStatus::clean) co_return end.status;
  co_return all_here(end.summary) ? ExitStatus::clean : ExitStatus::refused;
}

async::Task<ExitStatus> show_key(Site& site, const ShowKey& command, Console& console) {
  Question question{.path = "/api/v1/site"};
  const auto said = co_await site.ask(std::move(question));
  if (!said.is_good()) co_return complain(said, console);
  const auto card = object_of(said.body);
  console.out << (command.output == Output::json ? json::serialize(card) : text_of(card, "key"))
              << std::endl;
  co_return ExitStatus::clean;
}

}  // namespace

ExitStatus run(const WriteWant& command, Console& console) {
  return run_at(command.place, Daemonless::possible, console,
                [&](Site& site) { return want(site, command, console); });
}

ExitStatus run(const CreateBundle& command, Console& console) {
  return run_at(command.place, Daemonless::possible, console,
                [&](Site& site) { return create(site, command, console); });
}

ExitStatus run(const ApplyBundle& command, Console& console) {
  return run_at(command.place, Daemonless::possible, console,
                [&](Site& site) { return apply(site, command, console); });
}

ExitStatus run(const ShowKey& command, Console& console) {
  return run_at(command.place, Daemonless::possible, console,
                [&](Site& site) { return show_key(site, command, console); });
}

}  // namespace entrepot::app::commands
