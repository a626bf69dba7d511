// Unix sockets: who may use them, and what becomes of their names.
#include "http/listening_socket.hpp"

#include <sys/un.h>

#include "support/temp_dir.hpp"
#include "unit/http/loopback.hpp"

namespace entrepot::http::listening_socket_test {
namespace {

async::Task<Reply> introduce(const Request& request) {
  const std::string via = request.via == Via::control_socket ? "control" : "service";
  co_return text_reply(200, "text/plain",
                       via + (request.remote_is_loopback ? " near " : " ") + "[" + request.remote +
                           "] " + request.origin);
}

std::string address_in(const test::TempDir& dir) {
  return "unix:" + (dir.path() / "socket").string();
}

Listener listener_at(const std::string& address,
                     Listener::Purpose purpose = Listener::Purpose::service) {
  return {.address = address, .tls = nullptr, .purpose = purpose};
}

std::filesystem::perms mode_of(const std::filesystem::path& path) {
  return std::filesystem::status(path).permissions();
}

TEST(UnixSocket, serves_and_tells_whose_it_is) {
  using std::filesystem::perms;
  const test::TempDir dir;
  const auto path = dir.path() / "socket";
  const auto before = ::umask(0077);
  const struct {
    Listener::Purpose purpose;
    perms mode;
    std::string answer;
  } sockets[] = {
      {Listener::Purpose::service,
       perms::owner_read | perms::owner_write | perms::group_read | perms::group_write,
       "service [] http://h"},
      {Listener::Purpose::control, perms::owner_read | perms::owner_write,
       "control near [] http://h"},
  };
  for (const auto& socket : sockets) {
    Loopback server(introduce, listener_at(address_in(dir), socket.purpose));
    EXPECT_EQ(server.address(), address_in(dir));
    EXPECT_EQ(mode_of(path), socket.mode);
    RawClient client(server);
    client.send(get("/") + get("/"));
    EXPECT_EQ(client.receive().body, socket.answer);
    EXPECT_EQ(client.receive().body, socket.answer);
  }
  ::umask(before);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(UnixSocket, a_client_that_leaves_is_noticed) {
  const test::TempDir dir;
  Loopback server(introduce, listener_at(address_in(dir)));
  RawClient client(server);
  client.send(get("/"));
  EXPECT_EQ(client.receive().status, 200);
  client.close();
  EXPECT_TRUE(Loopback::wait_until([&] { return server.opened() == 0; }));
}

TEST(UnixSocket, a_name_is_taken_over_only_when_nobody_answers) {
  const test::TempDir dir;
  const auto path = dir.path() / "socket";
  {
    const UnixSocket first(path, 0600);
    EXPECT_THROW(UnixSocket(path, 0600), std::system_error);
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  std::optional<base::UniqueFd> dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.string().copy(name.sun_path, sizeof name.sun_path - 1);
  ASSERT_EQ(::bind(dead->get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  dead.reset();
  const UnixSocket second(path, 0600);
  EXPECT_EQ(mode_of(path), std::filesystem::perms(0600));
}

TEST(UnixSocket, what_is_no_socket_stays) {
  const test::TempDir dir;
  const auto path = dir.path() / "socket";
  std::filesystem::create_directory(path);
  const std::pair<std::filesystem::path, std::errc> wrong[] = {
      {path, std::errc::address_in_use},
      {dir.path() / "none" / "socket", std::errc::no_such_file_or_directory},
      {dir.path() / std::string(200, 'x'), std::errc::filename_too_long},
  };
  for (const auto& [name, error] : wrong) {
    try {
      const UnixSocket socket(name, 0600);
      ADD_FAILURE() << name;
    } catch (const std::system_error& e) {
      EXPECT_EQ(e.code(), error) << name;
    }
  }
  EXPECT_TRUE(std::filesystem::is_directory(path));
}

TEST(UnixSocket, only_its_own_name_is_removed) {
  const test::TempDir dir;
  const auto path = dir.path() / "socket";
  auto first = std::make_unique<UnixSocket>(path, 0600);
  std::filesystem::remove(path);
  const UnixSocket second(path, 0600);
  first.reset();
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(UnixSocket, stopping_removes_the_name_and_serves_who_is_there) {
  const test::TempDir dir;
  Loopback server(introduce, listener_at(address_in(dir)));
  RawClient client(server);
  client.send("GET / HTTP/1.1\r\n");
  EXPECT_TRUE(Loopback::wait_until([&] { return server.opened() == 1; }));
  server.server().stop_accepting();
  EXPECT_FALSE(std::filesystem::exists(dir.path() / "socket"));
  client.send("Host: h\r\n\r\n");
  EXPECT_EQ(client.receive().status, 200);
}

TEST(UnixSocket, may_be_inherited_and_then_keeps_its_name) {
  const test::TempDir dir;
  const auto path = dir.path() / "socket";
  const base::UniqueFd inherited(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.string().copy(name.sun_path, sizeof name.sun_path - 1);
  ASSERT_EQ(::bind(inherited.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  ASSERT_EQ(::listen(inherited.get(), 16), 0);
  {
    Loopback server(introduce, {}, 2, ::dup(inherited.get()));
    EXPECT_EQ(server.address(), address_in(dir));
    for (int i = 0; i < 10; ++i) {
      RawClient client(server);
      client.send(get("/"));
      EXPECT_EQ(client.receive().body, "service [] http://h");
    }
    server.server().stop_accepting();
  }
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(ListeningSocket, addresses_are_what_they_look_like) {
  EXPECT_EQ(unix_path("unix:/run/x"), "/run/x");
  EXPECT_FALSE(unix_path("127.0.0.1:80"));
  EXPECT_THROW(unix_path("unix:relative"), std::system_error);
  EXPECT_THROW(unix_path("unix:"), std::system_error);
}

}  // namespace
}  // namespace entrepot::http::listening_socket_test
