#include "entrepot/http/server.hpp"

#include <sys/resource.h>

#include <future>
#include <optional>
#include <set>

#include "entrepot/oci/refusal.hpp"
#include "support/no_descriptors.hpp"
#include "support/run_task.hpp"
#include "unit/http/loopback.hpp"

namespace entrepot::http::server_test {
namespace {

using std::chrono::milliseconds;

TEST(Server, answers_and_keeps_the_connection) {
  Loopback server(echo);
  RawClient client(server);
  for (int i = 0; i < 3; ++i) {
    client.send(get("/v2/x%2Dy?n=1"));
    const auto answer = client.receive();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "GET /v2/x-y");
    EXPECT_EQ(answer.headers.at("content-type"), "text/plain");
    EXPECT_EQ(answer.headers.at("x-request-id").size(), 16U);
    EXPECT_EQ(answer.headers.at("date").size(), 29U);
    EXPECT_FALSE(answer.headers.contains("connection"));
  }
  const auto observed = server.observed(3);
  ASSERT_EQ(observed.size(), 3U);
  EXPECT_EQ(observed[0].path, "/v2/x-y");
  EXPECT_EQ(observed[0].bytes, 11U);
  EXPECT_TRUE(observed[0].complete);
  EXPECT_EQ(server.server().connections(), 1U);
}

TEST(Server, head_is_get_without_the_body) {
  Loopback server(echo);
  RawClient client(server);
  client.send("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n" + get("/b"));
  const auto head = client.receive(false);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "7");
  EXPECT_EQ(client.receive().body, "GET /b");
}

TEST(Server, connection_close_and_http10) {
  Loopback server(echo);
  const std::string old = "GET /a HTTP/1.0\r\n";
  EXPECT_TRUE(converse(server, get("/a", "Connection: close\r\n")).contains("Connection: close"));
  EXPECT_TRUE(converse(server, get("/a", "Connection: foo, Close\r\n")).ends_with("GET /a"));
  EXPECT_TRUE(converse(server, old + "\r\n").ends_with("GET /a"));
  RawClient client(server);
  for (int i = 0; i < 2; ++i) {
    client.send(old + "Connection: keep-alive\r\n\r\n");
    EXPECT_EQ(client.receive().headers.at("connection"), "keep-alive");
  }
}

async::Task<Reply> fail(const Request& request) {
  if (request.target.path == "/refusal") {
    oci::Refusal refusal(oci::ErrorCode::too_many_requests, "wait \"here\"");
    refusal.retry_after = std::chrono::seconds(7);
    throw refusal;
  }
  if (request.target.path == "/method") {
    oci::Refusal refusal(oci::ErrorCode::unsupported, "no");
    refusal.allow = "GET";
    throw refusal;
  }
  if (request.target.path == "/late") {
    co_await async::sleep_for(milliseconds(1));
    throw oci::Refusal(oci::ErrorCode::blob_unknown, "late");
  }
  throw std::runtime_error("a secret of ours");
}

// Rows: R-15
TEST(Server, exceptions_become_error_bodies_and_the_connection_stays) {
  Loopback server(fail);
  RawClient client(server);
  client.send(get("/refusal") + get("/method") + get("/late") + get("/other"));
  const auto refusal = client.receive();
  EXPECT_EQ(refusal.status, 429);
  EXPECT_EQ(refusal.headers.at("retry-after"), "7");
  EXPECT_EQ(refusal.headers.at("content-type"), "application/json");
  EXPECT_EQ(refusal.headers.at("x-content-type-options"), "nosniff");
  EXPECT_TRUE(refusal.body.contains("TOOMANYREQUESTS"));
  const auto method = client.receive();
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.headers.at("allow"), "GET");
  EXPECT_EQ(client.receive().status, 404);
  const auto other = client.receive();
  EXPECT_EQ(other.status, 500);
  EXPECT_FALSE(other.body.contains("secret"));
  EXPECT_TRUE(other.body.contains(other.headers.at("x-request-id")));
}

async::Task<Reply> inject(const Request&) {
  auto reply = text_reply(200, "text/plain", "x");
  reply.headers.add("X-Echo", std::string("a\r\nX-Injected: b\0c", 18));
  co_return reply;
}

TEST(Server, a_header_value_never_ends_its_line) {
  Loopback server(inject);
  RawClient client(server);
  client.send(get("/"));
  const auto answer = client.receive();
  EXPECT_FALSE(answer.headers.contains("x-injected"));
  EXPECT_EQ(answer.headers.at("x-echo"), "a  X-Injected: b c");
}

async::Task<Reply> bodiless(const Request& request) {
  Reply reply;
  reply.status = request.target.path == "/304" ? 304 : 204;
  reply.body.emplace_back("must not be seen");
  co_return reply;
}

TEST(Server, statuses_without_a_body_have_none) {
  Loopback server(bodiless);
  RawClient client(server);
  client.send(get("/304") + get("/204"));
  for (const int status : {304, 204}) {
    const auto answer = client.receive();
    EXPECT_EQ(answer.status, status);
    EXPECT_FALSE(answer.headers.contains("content-length"));
  }
}

TEST(Server, request_ids_differ_over_threads) {
  Loopback server(echo, {}, 2);
  std::set<std::string> ids;
  for (int i = 0; i < 8; ++i) {
    RawClient client(server);
    client.send(get("/") + get("/"));
    ids.insert(client.receive().headers.at("x-request-id"));
    ids.insert(client.receive().headers.at("x-request-id"));
  }
  EXPECT_EQ(ids.size(), 16U);
}

async::Task<Reply> tell_remote(const Request& request) {
  const std::string_view nearness = request.remote_is_loopback ? " loopback" : "";
  co_return text_reply(200, "text/plain", request.remote + std::string(nearness));
}

TEST(Server, tells_the_remote_address) {
  Loopback server(tell_remote);
  RawClient client(server);
  client.send(get("/"));
  EXPECT_EQ(client.receive().body, "127.0.0.1 loopback");
}

TEST(Server, refuses_an_address_in_use_or_malformed) {
  Loopback server(echo, {}, 2);
  async::Runtime runtime(2);
  Server other(runtime,
               {.handler = echo, .observer = {}, .connection_opened = {}, .connection_closed = {}});
  try {
    other.listen({.address = server.address(), .tls = nullptr});
    ADD_FAILURE() << "two servers on one port";
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::address_in_use);
  }
  for (const auto* address :
       {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "nowhere:80", ":80"}) {
    EXPECT_THROW(other.listen({.address = address, .tls = nullptr}), std::system_error) << address;
  }
}

TEST(Server, listens_on_ipv6_too) {
  async::Runtime runtime(1);
  Server server(
      runtime, {.handler = echo, .observer = {}, .connection_opened = {}, .connection_closed = {}});
  EXPECT_TRUE(server.listen({.address = "[::1]:0", .tls = nullptr}).starts_with("[::1]:"));
}

TEST(Server, serves_an_adopted_socket_on_all_threads) {
  base::UniqueFd listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(listening.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listening.get(), 16), 0);
  Loopback server(echo, {}, 2, listening.release());
  for (int i = 0; i < 20; ++i) {
    RawClient client(server);
    client.send(get("/adopted"));
    EXPECT_EQ(client.receive().body, "GET /adopted");
  }
}

// Rows: R-01
TEST(Server, a_head_that_dawdles_is_answered_408) {
  Loopback server(echo, {.header = milliseconds(60)});
  RawClient client(server);
  client.send("GET / HT");
  EXPECT_TRUE(client.receive_all().starts_with("HTTP/1.1 408 "));
  RawClient dripping(server);
  for (int i = 0; i < 40; ++i) {
    dripping.send("G");
    std::this_thread::sleep_for(milliseconds(3));
  }
  EXPECT_TRUE(dripping.receive_all().starts_with("HTTP/1.1 408 "));
}

TEST(Server, idle_connections_are_closed_silently) {
  Loopback server(echo, {.header = milliseconds(60), .idle = milliseconds(60)});
  RawClient fresh(server);
  EXPECT_EQ(fresh.receive_all(), "");
  RawClient used(server);
  used.send(get("/"));
  EXPECT_EQ(used.receive().status, 200);
  EXPECT_EQ(used.receive_all(), "");
  EXPECT_EQ(used.ending(), Ending::end);
  EXPECT_TRUE(Loopback::wait_until([&] { return server.server().connections() == 0; }));
  EXPECT_EQ(server.opened(), 0);
}

async::Task<Reply> wait_for(std::shared_ptr<std::atomic<bool>> release, const Request& request) {
  while (request.target.path == "/slow" && !*release) co_await async::sleep_for(milliseconds(1));
  co_return text_reply(200, "text/plain", request.target.path);
}

TEST(Server, drains_without_losing_an_answer) {
  const auto release = std::make_shared<std::atomic<bool>>(false);
  Loopback server([release](const Request& request) { return wait_for(release, request); }, {}, 2);
  std::vector<RawClient> busy;
  std::vector<RawClient> idle;
  for (int i = 0; i < 8; ++i) {
    busy.emplace_back(server).send(get("/slow"));
    idle.emplace_back(server).send(get("/quick"));
    EXPECT_EQ(idle.back().receive().status, 200);
  }
  server.server().stop_accepting();
  for (auto& client : idle) EXPECT_EQ(client.ending(), Ending::end);
  EXPECT_TRUE(Loopback::wait_until([&] { return server.server().connections() == 8; }));
  *release = true;
  for (auto& client : busy) {
    const auto answer = client.receive();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.at("connection"), "close");
    client.close();
  }
  EXPECT_TRUE(Loopback::wait_until([&] { return server.server().connections() == 0; }));
}

// Rows: R-03
TEST(Server, accepting_goes_on_when_descriptors_come_free_again) {
  Loopback server(echo);
  RawClient before(server);
  before.send(get("/"));
  EXPECT_EQ(before.receive().status, 200);
  std::optional<test::NoDescriptors> none;
  RawClient waiting(server, 0, [&none] { none.emplace(); });
  waiting.send(get("/waited"));
  before.send(get("/still"));
  EXPECT_EQ(before.receive().body, "GET /still");
  EXPECT_EQ(server.server().connections(), 1U);
  none.reset();
  EXPECT_EQ(waiting.receive().body, "GET /waited");
}

// Rows: R-03
TEST(Server, one_too_many_takes_the_place_of_the_longest_idle) {
  Loopback server(echo, {.connections = 3});
  std::vector<RawClient> clients;
  const auto expect_answer = [](RawClient& client) {
    client.send(get("/"));
    EXPECT_EQ(client.receive().status, 200);
  };
  for (int i = 0; i < 3; ++i) expect_answer(clients.emplace_back(server));
  expect_answer(clients[0]);
  RawClient late(server);
  expect_answer(late);
  EXPECT_EQ(clients[1].ending(), Ending::end);
  expect_answer(clients[0]);
  expect_answer(clients[2]);
  EXPECT_EQ(server.server().connections(), 3U);
}

std::chrono::microseconds processor_time() {
  rusage usage{};
  EXPECT_EQ(::getrusage(RUSAGE_SELF, &usage), 0);
  return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

// Rows: R-03
TEST(Server, while_all_are_busy_the_next_one_waits_at_no_cost) {
  const auto release = std::make_shared<std::atomic<bool>>(false);
  Loopback server([release](const Request& request) { return wait_for(release, request); },
                  {.connections = 2});
  std::vector<RawClient> busy;
  for (int i = 0; i < 2; ++i) busy.emplace_back(server).send(get("/slow"));
  EXPECT_TRUE(Loopback::wait_until([&] { return server.server().connections() == 2; }));
  RawClient waiting(server);
  waiting.send(get("/waited"));
  const auto before = processor_time();
  std::this_thread::sleep_for(milliseconds(600));
  EXPECT_LT(processor_time() - before, milliseconds(400));
  EXPECT_EQ(server.server().connections(), 2U);
  *release = true;
  EXPECT_EQ(waiting.receive().body, "/waited");
  EXPECT_EQ(busy[0].receive().status, 200);
  EXPECT_EQ(busy[1].receive().status, 200);
}

// Rows: R-05
TEST(Server, a_connection_there_is_no_memory_for_does_not_end_accepting) {
  Loopback server(echo);
  server.fail_next_connection();
  RawClient unlucky(server);
  EXPECT_NE(unlucky.ending(), Ending::timeout);
  RawClient next(server);
  next.send(get("/next"));
  EXPECT_EQ(next.receive().body, "GET /next");
  EXPECT_EQ(server.server().connections(), 1U);
}

async::Task<Reply> hold_the_thread(std::atomic<bool>& held, std::shared_future<void> release,
                                   const Request& request) {
  if (request.target.path == "/hold") {
    held = true;
    release.wait();
  }
  co_return text_reply(200, "text/plain", request.target.path);
}

// Rows: O-01
TEST(Server, whoever_was_let_in_by_the_kernel_is_counted_and_served) {
  std::promise<void> release;
  std::atomic<bool> held = false;
  Loopback server([&held, released = release.get_future().share()](const Request& request) {
    return hold_the_thread(held, released, request);
  });
  RawClient holding(server);
  holding.send(get("/hold"));
  ASSERT_TRUE(Loopback::wait_until([&] { return held.load(); }));
  constexpr std::size_t more = 200;  // than one look at the socket accepts
  std::vector<RawClient> waiting;
  for (std::size_t i = 0; i < more; ++i) waiting.emplace_back(server).send(get("/waited"));
  server.server().stop_accepting();
  test::RunningRuntime elsewhere(1);
  const auto ended = elsewhere.start(0, server.server().accepting_ended(milliseconds(20)));
  ended.wait();
  EXPECT_EQ(server.server().connections(), 1U) << "it does not wait longer than it may";
  const auto accepted = elsewhere.start(0, server.server().accepting_ended(milliseconds(60'000)));
  EXPECT_EQ(accepted.wait_for(milliseconds(50)), std::future_status::timeout);
  release.set_value();
  accepted.wait();
  const auto open = server.server().connections();
  EXPECT_GE(open + server.observed().size(), more);
  for (auto& client : waiting) EXPECT_EQ(client.receive().body, "/waited");
}

}  // namespace
}  // namespace entrepot::http::server_test
