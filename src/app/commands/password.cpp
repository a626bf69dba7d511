#include "app/commands/password.hpp"

#include <termios.h>
#include <unistd.h>

#include <istream>
#include <ostream>

namespace entrepot::app::commands {
namespace {

// No echo as long as it lives. A process that is killed meanwhile leaves the terminal silent, as
// every program does that reads a password.
class Silence {
 public:
  Silence() : known_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!known_) return;
    auto silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~Silence() {
    if (known_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  termios before_{};
  bool known_;
};

std::string read_line(Console& console) {
  std::string line;
  std::getline(console.in, line);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

std::string ask(Console& console, const char* prompt) {
  console.error << prompt << std::flush;
  const Silence silence;
  auto line = read_line(console);
  console.error << '\n';
  return line;
}

}  // namespace

std::optional<std::string> read_password(Console& console) {
  std::string password;
  if (console.in_is == Terminal::yes) {
    password = ask(console, "Password: ");
    if (ask(console, "Again: ") != password) {
      console.error << "entrepot: the two passwords differ\n";
      return std::nullopt;
    }
  } else {
    password = read_line(console);
  }
  if (password.empty()) {
    console.error << "entrepot: an empty password lets everybody in\n";
    return std::nullopt;
  }
  return password;
}

}  // namespace entrepot::app::commands
