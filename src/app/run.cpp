#include "entrepot/app/run.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <stdexcept>
#include <system_error>

#include "app/check_config.hpp"
#include "app/command_line.hpp"
#include "app/config_error.hpp"
#include "app/daemon.hpp"
#include "entrepot/base/log.hpp"

namespace entrepot::app {
namespace {

namespace log = base::log;

ExitStatus complain(const std::exception& error, ExitStatus status) {
  std::cerr << "entrepot: " << error.what() << '\n';
  return status;
}

void prepare_process() {
  // A client or upstream that leaves shows as an error of the write, not as a signal.
  std::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  if (::geteuid() == 0) log::warn("running as root, which is never needed");
}

ExitStatus start(const Serve& command) {
  const auto config = load_config(command.flags);
  log::configure(config.log_level, config.log_format);
  Supervisor supervisor;
  prepare_process();
  std::optional<Daemon> daemon;
  try {
    daemon.emplace(config, command.flags, supervisor);
  } catch (const ConfigError&) {
    throw;
  } catch (const CannotListen& error) {
    return complain(error, ExitStatus::unreachable);
  } catch (const std::runtime_error& error) {
    return complain(error, ExitStatus::data_unusable);
  }
  daemon->run();
  return ExitStatus::clean;
}

ExitStatus start(const CheckConfig& command) {
  const auto config = load_config(command.flags);
  check_config(config);
  std::cout << command.flags.config.value_or("built-in configuration") << ": correct;";
  for (const auto& upstream : config.upstreams) std::cout << ' ' << upstream.name();
  std::cout << '\n';
  return ExitStatus::clean;
}

ExitStatus start(const commands::Command& command) {
  Console console{std::cout, std::cerr, std::cin,
                  ::isatty(STDIN_FILENO) ? Terminal::yes : Terminal::no,
                  ::isatty(STDERR_FILENO) ? Terminal::yes : Terminal::no};
  return std::visit([&](const auto& each) { return commands::run(each, console); }, command);
}

ExitStatus execute(const Command& command) {
  try {
    return std::visit([](const auto& each) { return start(each); }, command);
  } catch (const ConfigError& error) {
    return complain(error, ExitStatus::configuration);
  } catch (const std::invalid_argument& error) {
    return complain(error, ExitStatus::usage);
  }
}

}  // namespace

ExitStatus run(int argc, const char* const* argv) noexcept {
  try {
    const auto command = parse_command_line(argc, argv, std::cout, std::cerr);
    return command ? execute(*command) : command.error();
  } catch (const std::exception& error) {
    return complain(error, ExitStatus::internal);
  }
}

}  // namespace entrepot::app
