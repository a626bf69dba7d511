// The registry a command works on, spoken to in the words of the admin API: over the control socket
// of a running daemon, or by the same handlers in this process.
#pragma once

#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "app/commands/command.hpp"
#include "app/config.hpp"
#include "entrepot/async/task.hpp"

namespace entrepot::app::commands {

struct Question {
  std::string method = "GET";
  std::string path;  // decoded
  std::vector<std::pair<std::string, std::string>> query{};
  std::string body{};  // JSON
};

struct Said {
  int status = 0;
  std::string body;

  bool is_good() const { return status >= 200 && status < 300; }
};

// Nobody answers, or not any more.
class Unreachable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Site {
 public:
  virtual ~Site() = default;
  // Throws Unreachable.
  virtual async::Task<Said> ask(Question question) = 0;
};

// For what only a running daemon can do.
enum class Daemonless { possible, pointless };

using Errand = std::function<async::Task<ExitStatus>(Site& site)>;

// Finds the registry and runs the errand on a thread of its own, here. Sentences for everything
// that goes wrong go to console.error.
ExitStatus run_at(const Place& place, Daemonless daemonless, Console& console,
                  const Errand& errand);

// The sentence of an error body, for people; on console.error. The status that belongs to it.
ExitStatus complain(const Said& said, Console& console);

// Whether the operator has asked to stop (SIGINT, SIGTERM) since run_at() began.
bool interrupted();

// File, flags and defaults. Throws ConfigError.
Config config_of(const Place& place);

}  // namespace entrepot::app::commands
