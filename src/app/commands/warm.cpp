// warm: images are fetched into the mirror before anybody asks for them.
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <ostream>
#include <stdexcept>

#include "app/commands/command.hpp"
#include "app/commands/job.hpp"
#include "app/commands/words.hpp"
#include "entrepot/transfer/image_list.hpp"

namespace entrepot::app::commands {
namespace {

namespace json = boost::json;

std::string read(const std::string& file, Console& console) {
  if (file == "-") return {std::istreambuf_iterator(console.in), {}};
  std::ifstream stream(file);
  if (!stream) throw std::invalid_argument("cannot be read: " + file);
  return {std::istreambuf_iterator(stream), {}};
}

json::array images_of(const Warm& command, Console& console) {
  auto images = command.images;
  if (!command.list.empty()) {
    for (auto& image : transfer::images_in_lines(read(command.list, console))) {
      images.push_back(std::move(image));
    }
  }
  if (!command.kubernetes_list.empty()) {
    auto found = transfer::images_in_kubernetes_list(read(command.kubernetes_list, console));
    if (!found) {
      throw std::invalid_argument("expected what `kubectl get pods -A -o json` prints");
    }
    for (auto& image : *found) images.push_back(std::move(image));
  }
  if (images.empty()) throw std::invalid_argument("no image is named");
  json::array list;
  for (const auto& image : images) list.emplace_back(image);
  return list;
}

void print_line(const json::object& line, const Warm& command, Console& console) {
  if (command.output == Output::json) {
    console.out << json::serialize(line) << '\n';
  } else if (const auto trouble = text_of(line, "trouble"); !trouble.empty()) {
    console.error << "entrepot: " << text_of(line, "image") << ": " << trouble << '\n';
  }
}

async::Task<ExitStatus> warm(Site& site, const Warm& command, Console& console) {
  json::object wish{{"references", images_of(command, console)}, {"referrers", command.referrers}};
  json::array platforms;
  for (const auto& platform : command.platforms) platforms.emplace_back(platform);
  wish["platforms"] = std::move(platforms);
  Question order{
      .method = "POST", .path = "/api/v1/warmings", .query = {}, .body = json::serialize(wish)};
  JobListener listener;
  listener.line = [&](const std::string& line) { print_line(object_of(line), command, console); };
  const auto end = co_await run_job(site, std::move(order), std::move(listener), console);
  if (end.status != ExitStatus::clean) co_return end.status;
  if (command.output == Output::json) {
    console.out << json::serialize(end.summary) << std::endl;
  } else {
    console.out << "warmed " << count_text(number_of(end.summary, "images"), "image") << ": "
                << count_text(number_of(end.summary, "blobs"), "blob") << " ("
                << size_text(number_of(end.summary, "bytes")) << ") fetched, "
                << number_of(end.summary, "blobs_held") << " held before" << std::endl;
  }
  co_return number_of(end.summary, "failed") > 0 ? ExitStatus::refused : ExitStatus::clean;
}

}  // namespace

ExitStatus run(const Warm& command, Console& console) {
  return run_at(command.place, Daemonless::possible, console,
                [&](Site& site) { return warm(site, command, console); });
}

}  // namespace entrepot::app::commands
