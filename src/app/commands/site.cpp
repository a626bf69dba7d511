#include "app/commands/site.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <optional>
#include <ostream>
#include <system_error>

#include "app/commands/daemon_site.hpp"
#include "app/commands/directory_site.hpp"
#include "app/commands/words.hpp"
#include "app/config_error.hpp"
#include "app/control_socket.hpp"
#include "app/flags.hpp"
#include "entrepot/async/runtime.hpp"
#include "entrepot/base/log.hpp"

namespace entrepot::app::commands {
namespace {

constexpr const char* usual_config = "/etc/entrepot/config.yaml";

std::atomic<bool> asked_to_stop = false;

// A sentence was said already; this is what remains of it.
struct Ended {
  ExitStatus status;
};

ExitStatus say(Console& console, std::string_view sentence, ExitStatus status) {
  console.error << "entrepot: " << sentence << '\n';
  return status;
}

// The one catch site of a command: what went wrong, for people, and the exit status it is.
ExitStatus explain(std::exception_ptr failure, Console& console) {
  try {
    std::rethrow_exception(std::move(failure));
  } catch (const Ended& end) {
    return end.status;
  } catch (const Unreachable& error) {
    return say(console, error.what(), ExitStatus::unreachable);
  } catch (const ConfigError& error) {
    return say(console, error.what(), ExitStatus::configuration);
  } catch (const std::invalid_argument& error) {
    return say(console, error.what(), ExitStatus::usage);
  } catch (const store::DirectoryInUse& error) {
    return say(console, error.what(), ExitStatus::try_later);
  } catch (const std::system_error& error) {
    const bool forbidden = error.code().value() == EACCES || error.code().value() == EPERM;
    return say(console, error.what(),
               forbidden ? ExitStatus::not_allowed : ExitStatus::data_unusable);
  } catch (const std::exception& error) {
    return say(console, error.what(), ExitStatus::internal);
  }
}

std::unique_ptr<Site> find_site(const Place& place, Daemonless daemonless, Console& console) {
  const auto config = config_of(place);
  if (auto site = open_daemon_site(control_socket(config.data))) return site;
  if (daemonless == Daemonless::pointless) {
    throw Unreachable("no daemon runs on " + config.data.string());
  }
  // A directory that is not there is more likely a slip than a wish.
  if (std::error_code ec; !std::filesystem::is_directory(config.data, ec)) {
    throw Ended{
        say(console, "no such directory: " + config.data.string(), ExitStatus::data_unusable)};
  }
  base::log::configure(base::log::Level::error, base::log::Format::text);
  return open_directory_site(config);
}

async::Task<> watch_signals(boost::asio::signal_set& signals) {
  for (;;) {
    co_await signals.async_wait(boost::asio::use_awaitable);
    asked_to_stop = true;
  }
}

// Of the specification's error body.
std::string sentence_of(const Said& said) {
  for (const auto& error : objects_of(object_of(said.body), "errors")) {
    for (const auto key : {"detail", "message"}) {
      if (auto text = text_of(error, key); !text.empty()) return text;
    }
  }
  return "the registry answered " + std::to_string(said.status);
}

struct Outcome {
  ExitStatus status = ExitStatus::internal;
  std::exception_ptr failure;
};

async::Task<> carry_out(const Errand& errand, Site& site, Outcome& outcome,
                        async::Runtime& runtime) {
  try {
    outcome.status = co_await errand(site);
  } catch (...) {
    outcome.failure = std::current_exception();
  }
  runtime.stop();
}

}  // namespace

Config config_of(const Place& place) {
  Flags flags;
  flags.config = place.config;
  flags.data = place.data;
  if (std::error_code ec;
      !place.config && !place.data && std::filesystem::exists(usual_config, ec)) {
    flags.config = usual_config;
  }
  return load_config(flags);
}

bool interrupted() { return asked_to_stop; }

ExitStatus run_at(const Place& place, Daemonless daemonless, Console& console,
                  const Errand& errand) {
  std::signal(SIGPIPE, SIG_IGN);
  Outcome outcome;
  try {
    // Outlives the runtime, whose coroutines may still refer to it.
    const auto site = find_site(place, daemonless, console);
    async::Runtime runtime(1);
    boost::asio::signal_set signals(runtime.context(0), SIGINT, SIGTERM);
    async::spawn(runtime.executor(0), watch_signals(signals), "signals");
    async::spawn(runtime.executor(0), carry_out(errand, *site, outcome, runtime), "command");
    runtime.run();
  } catch (...) {
    outcome.failure = std::current_exception();
  }
  return outcome.failure ? explain(outcome.failure, console) : outcome.status;
}

ExitStatus complain(const Said& said, Console& console) {
  const auto sentence = sentence_of(said);
  if (said.status == 401 || said.status == 403) {
    return say(console, sentence, ExitStatus::not_allowed);
  }
  if (said.status == 400) return say(console, sentence, ExitStatus::usage);
  if (said.status == 409 || said.status == 429 || said.status == 503) {
    return say(console, sentence, ExitStatus::try_later);
  }
  return say(console, sentence, said.status >= 500 ? ExitStatus::internal : ExitStatus::refused);
}

}  // namespace entrepot::app::commands
