// tag history, tag rollback: what a tag pointed to, and back to it.
#include <boost/json.hpp>
#include <ostream>
#include <stdexcept>

#include "app/commands/command.hpp"
#include "app/commands/site.hpp"
#include "app/commands/words.hpp"

namespace entrepot::app::commands {
namespace {

Image tag_of(const std::string& text) {
  auto image = split_image(text);
  if (image.reference.empty() || image.reference.find(':') != std::string::npos) {
    throw std::invalid_argument("expected REPOSITORY:TAG, found '" + text + "'");
  }
  return image;
}

std::string or_dash(std::string text) { return text.empty() ? "-" : text; }

void print(const boost::json::object& change, Output output, Console& console) {
  if (output == Output::json) {
    console.out << boost::json::serialize(change) << '\n';
    return;
  }
  console.out << text_of(change, "time") << "  " << text_of(change, "cause") << "  "
              << or_dash(text_of(change, "who")) << "  " << or_dash(text_of(change, "from"))
              << " -> " << or_dash(text_of(change, "to"))
              << (truth_of(change, "held") ? "" : "  (not held any more)") << '\n';
}

async::Task<ExitStatus> history(Site& site, const TagHistory& command, Console& console) {
  const auto image = tag_of(command.image);
  std::uint64_t before = 0;
  do {
    Question question{.path = "/api/v1/history"};
    question.query = {{"repository", image.repository}, {"tag", image.reference}};
    if (before > 0) question.query.emplace_back("before", std::to_string(before));
    const auto said = co_await site.ask(std::move(question));
    if (!said.is_good()) co_return complain(said, console);
    const auto page = object_of(said.body);
    for (const auto& change : objects_of(page, "changes")) print(change, command.output, console);
    before = number_of(page, "next");
  } while (before > 0);
  console.out.flush();
  co_return ExitStatus::clean;
}

async::Task<ExitStatus> roll_back(Site& site, const RollBack& command, Console& console) {
  const auto image = tag_of(command.image);
  Question order{.method = "POST", .path = "/api/v1/rollback"};
  order.query = {{"repository", image.repository}, {"tag", image.reference}};
  if (!command.digest.empty()) order.query.emplace_back("digest", command.digest);
  const auto said = co_await site.ask(std::move(order));
  if (!said.is_good()) co_return complain(said, console);
  console.out << command.image << " -> " << text_of(object_of(said.body), "digest") << std::endl;
  co_return ExitStatus::clean;
}

}  // namespace

ExitStatus run(const TagHistory& command, Console& console) {
  return run_at(command.place, Daemonless::possible, console,
                [&](Site& site) { return history(site, command, console); });
}

ExitStatus run(const RollBack& command, Console& console) {
  return run_at(command.place, Daemonless::possible, console,
                [&](Site& site) { return roll_back(site, command, console); });
}

}  // namespace entrepot::app::commands
