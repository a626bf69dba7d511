// export: an image, or a whole repository, as an OCI image layout.
#include <filesystem>
#include <ostream>

#include "app/commands/command.hpp"
#include "app/commands/job.hpp"
#include "app/commands/progress_bar.hpp"
#include "app/commands/words.hpp"

namespace entrepot::app::commands {
namespace {

async::Task<ExitStatus> export_image(Site& site, const Export& command, Console& console) {
  const auto image = split_image(command.image);
  Question order{.method = "POST", .path = "/api/v1/exports"};
  order.query = {{"repository", image.repository},
                 {"directory", std::filesystem::absolute(command.directory).string()}};
  if (!image.reference.empty()) order.query.emplace_back("reference", image.reference);
  ProgressBar bar(console);
  JobListener listener;
  listener.progress = [&bar](std::uint64_t done, std::uint64_t total) { bar.at(done, total); };
  const auto end = co_await run_job(site, std::move(order), std::move(listener), console);
  bar.clear();
  if (end.status != ExitStatus::clean) co_return end.status;
  console.out << "exported " << count_text(number_of(end.summary, "manifests"), "manifest") << ", "
              << count_text(number_of(end.summary, "blobs"), "blob") << " ("
              << size_text(number_of(end.summary, "bytes")) << "), "
              << number_of(end.summary, "held_before") << " there before" << std::endl;
  co_return ExitStatus::clean;
}

}  // namespace

ExitStatus run(const Export& command, Console& console) {
  return run_at(command.place, Daemonless::possible, console,
                [&](Site& site) { return export_image(site, command, console); });
}

}  // namespace entrepot::app::commands
