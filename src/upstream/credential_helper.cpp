#include "upstream/credential_helper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "entrepot/base/unique_fd.hpp"

namespace entrepot::upstream {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t most_output = 64 * 1024;
// How often a child is looked at that has said all it has to say, and has not ended yet.
constexpr int glance_milliseconds = 5;

bool plain_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

struct Pipe {
  base::UniqueFd read;
  base::UniqueFd write;
};

Pipe open_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) base::throw_errno("pipe");
  return {base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

// A child in a process group of its own, killed and collected at the latest with this object.
class Child {
 public:
  Child(const std::string& program, const Pipe& in, const Pipe& out) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in.read.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out.write.get(), STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigset_t unblocked;
    sigemptyset(&unblocked);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setsigmask(&attributes, &unblocked);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    std::string verb = "get";
    std::string name = program;
    const std::array<char*, 3> arguments = {name.data(), verb.data(), nullptr};
    if (::posix_spawnp(&id_, program.c_str(), &files, &attributes, arguments.data(), environ) != 0)
      id_ = 0;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
  }
  ~Child() {
    if (id_ == 0) return;
    ::kill(-id_, SIGKILL);
    collect();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool started() const { return id_ != 0; }
  // Whether it ended with exit code 0; absent when it has not ended in time.
  std::optional<bool> succeeded(Clock::time_point until) {
    int status = 0;
    for (;;) {
      const auto ended = ::waitpid(id_, &status, WNOHANG);
      if (ended == id_) break;
      if (ended < 0 && errno != EINTR) base::throw_errno("waitpid");
      if (Clock::now() >= until) return std::nullopt;
      ::poll(nullptr, 0, glance_milliseconds);
    }
    id_ = 0;
    return status == 0;
  }

 private:
  void collect() {
    while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  pid_t id_ = 0;
};

void write_all(base::UniqueFd fd, std::string_view text) {
  // Far below a pipe's buffer: never blocks. A helper that does not read is no error of ours.
  while (!text.empty()) {
    const auto written = ::write(fd.get(), text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Absent when the end did not come in time, or too much came.
std::optional<std::string> read_all(const base::UniqueFd& fd, Clock::time_point until) {
  std::string output;
  std::array<char, 4096> piece{};
  while (output.size() <= most_output) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd ready{fd.get(), POLLIN, 0};
    if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) == 0) return std::nullopt;
    const auto got = ::read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return output;
    output.append(piece.data(), static_cast<std::size_t>(got));
  }
  return std::nullopt;
}

}  // namespace

std::expected<Account, std::string> ask_credential_helper(const HelperEntry& entry,
                                                          std::chrono::milliseconds longest) {
  if (!plain_name(entry.name)) return std::unexpected("a credential helper with an odd name");
  const std::string program = "docker-credential-" + entry.name;
  auto in = open_pipe();
  auto out = open_pipe();
  Child child(program, in, out);
  if (!child.started()) return std::unexpected(program + " cannot be run");
  in.read.reset();
  out.write.reset();
  write_all(std::move(in.write), entry.server);
  const auto until = Clock::now() + longest;
  const auto output = read_all(out.read, until);
  if (!output) return std::unexpected(program + " does not answer");
  const auto succeeded = child.succeeded(until);
  if (!succeeded) return std::unexpected(program + " does not end");
  if (*succeeded) return parse_helper_answer(*output);
  if (output->find("credentials not found") != std::string::npos) return Account();
  return std::unexpected(program + " failed");
}

}  // namespace entrepot::upstream
