#include "app/supervisor.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cstdlib>
#include <cstring>
#include <future>
#include <thread>

#include "app/heartbeat.hpp"
#include "config_files.hpp"

namespace entrepot::app::supervisor_test {
namespace {

using std::chrono::milliseconds;

// What systemd would hear.
class NotifySink {
 public:
  explicit NotifySink(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
    const auto length = offsetof(sockaddr_un, sun_path) + path.size();
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address),
                     static_cast<socklen_t>(length)),
              0);
    patience({.tv_sec = 5, .tv_usec = 0});
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }

  // How long hear() waits before it says nothing was heard.
  void patience(timeval longest) const {
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  }

  std::string hear() const {
    char text[256];
    const auto size = ::recv(fd_.get(), text, sizeof text, 0);
    return size < 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
  }

 private:
  base::UniqueFd fd_;
};

// Rows: O-03
TEST(Supervisor, hears_what_it_is_told_by_path_and_by_abstract_name) {
  const test::ConfigFiles files;
  for (const auto& path :
       {(files.place() / "notify").string(), "@entrepot-test-" + std::to_string(::getpid())}) {
    const NotifySink sink(path);
    const Supervisor supervisor;
    EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
    supervisor.tell("READY=1\nSTATUS=serving");
    EXPECT_EQ(sink.hear(), "READY=1\nSTATUS=serving");
  }
}

TEST(Supervisor, without_one_nothing_happens) {
  Supervisor supervisor;
  supervisor.tell("READY=1");
  EXPECT_TRUE(supervisor.take_sockets().empty());
  EXPECT_FALSE(supervisor.watchdog());
}

TEST(Supervisor, watchdog_is_for_this_process_only) {
  struct {
    const char* microseconds;
    std::string pid;
    std::optional<milliseconds> limit;
  } const cases[] = {
      {"2000000", "", milliseconds(2000)},
      {"2000000", std::to_string(::getpid()), milliseconds(2000)},
      {"2000000", "1", std::nullopt},
      {"soon", "", std::nullopt},
      {"0", "", std::nullopt},
  };
  for (const auto& each : cases) {
    ::setenv("WATCHDOG_USEC", each.microseconds, 1);
    if (!each.pid.empty()) ::setenv("WATCHDOG_PID", each.pid.c_str(), 1);
    EXPECT_EQ(Supervisor().watchdog(), each.limit) << each.microseconds << ' ' << each.pid;
    EXPECT_EQ(std::getenv("WATCHDOG_USEC"), nullptr);
  }
}

// Rows: O-04
TEST(Supervisor, sockets_for_another_process_are_not_taken) {
  ::setenv("LISTEN_PID", "1", 1);
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_FDNAMES", "registry", 1);
  EXPECT_TRUE(Supervisor().take_sockets().empty());
  EXPECT_EQ(std::getenv("LISTEN_FDS"), nullptr);
}

// Rows: O-03
TEST(Heartbeat, beats_while_every_thread_turns_and_stops_when_one_hangs) {
  const test::ConfigFiles files;
  const NotifySink sink((files.place() / "notify").string());
  ::setenv("WATCHDOG_USEC", "200000", 1);
  const Supervisor supervisor;
  async::Runtime runtime(2);
  Heartbeat heartbeat(runtime, supervisor);
  heartbeat.start();
  std::jthread serving([&] { runtime.run(); });
  for (int beat = 0; beat < 3; ++beat) EXPECT_EQ(sink.hear(), "WATCHDOG=1");
  // The second thread hangs until the silence was seen.
  std::promise<void> hang;
  boost::asio::post(runtime.context(1), [&] { hang.get_future().wait(); });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  bool silent = false;
  sink.patience({.tv_sec = 0, .tv_usec = 300'000});
  while (!silent && std::chrono::steady_clock::now() < end) silent = sink.hear().empty();
  EXPECT_TRUE(silent);
  hang.set_value();
  runtime.stop();
}

}  // namespace
}  // namespace entrepot::app::supervisor_test
