// adopt: what another registry left on disk becomes ours.
#include <filesystem>
#include <ostream>

#include "app/commands/command.hpp"
#include "app/commands/job.hpp"
#include "app/commands/progress_bar.hpp"
#include "app/commands/words.hpp"

namespace entrepot::app::commands {
namespace {

void print(const boost::json::object& summary, Console& console) {
  console.out << "adopted " << count_text(number_of(summary, "repositories"), "repository") << ", "
              << count_text(number_of(summary, "tags"), "tag") << ", "
              << count_text(number_of(summary, "manifests"), "manifest") << ", "
              << count_text(number_of(summary, "blobs"), "blob") << " ("
              << size_text(number_of(summary, "bytes")) << "), "
              << number_of(summary, "held_before") << " held before";
  if (const auto damaged = number_of(summary, "damaged")) {
    console.out << "; " << damaged << " damaged or missing there";
  }
  if (const auto left = number_of(summary, "left_out")) {
    console.out << "; " << left << " manifests or tags left out";
  }
  console.out << std::endl;
}

async::Task<ExitStatus> adopt(Site& site, const Adopt& command, Console& console) {
  Question order{.method = "POST", .path = "/api/v1/adoptions"};
  const bool link = command.files == store::BlobStore::Bring::link;
  // The daemon stands in a directory of its own.
  order.query = {{"directory", std::filesystem::absolute(command.directory).string()},
                 {"files", link ? "link" : "copy"}};
  if (!command.repository.empty()) order.query.emplace_back("repository", command.repository);
  ProgressBar bar(console);
  JobListener listener;
  listener.progress = [&bar](std::uint64_t done, std::uint64_t total) { bar.at(done, total); };
  listener.line = [&bar, &console](const std::string& line) {
    bar.clear();
    console.error << "entrepot: " << text_of(object_of(line), "trouble") << '\n';
  };
  const auto end = co_await run_job(site, std::move(order), std::move(listener), console);
  bar.clear();
  if (end.status != ExitStatus::clean) co_return end.status;
  print(end.summary, console);
  const auto troubles = number_of(end.summary, "damaged") + number_of(end.summary, "left_out");
  co_return troubles > 0 ? ExitStatus::refused : ExitStatus::clean;
}

}  // namespace

ExitStatus run(const Adopt& command, Console& console) {
  return run_at(command.place, Daemonless::possible, console,
                [&](Site& site) { return adopt(site, command, console); });
}

}  // namespace entrepot::app::commands
