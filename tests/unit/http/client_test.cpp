#include "entrepot/http/client.hpp"

#include <gtest/gtest.h>
#include <netdb.h>

#include <boost/asio/io_context.hpp>
#include <cstring>
#include <thread>

#include "support/fake_upstream.hpp"
#include "support/run_task.hpp"
#include "support/temp_dir.hpp"
#include "unit/http/loopback.hpp"

namespace entrepot::http::client_test {
namespace {

using namespace std::chrono_literals;
using test::FakeUpstream;
using test::run_on;
using test::run_task;

std::shared_ptr<Transport> transport() {
  auto result = std::make_shared<Transport>();
  result->connect = 2'000ms;
  result->first_byte = 2'000ms;
  result->idle = 2'000ms;
  return result;
}

ClientRequest get(const FakeUpstream& upstream, const std::string& path,
                  std::shared_ptr<const Transport> how = transport()) {
  ClientRequest request;
  request.url = upstream.url() + path;
  request.transport = std::move(how);
  return request;
}

// Status and body, or the kind of the error: what most tests look at.
struct Seen {
  int status = 0;
  std::string body;
  std::optional<TransportErrorKind> error;
};

async::Task<Seen> fetch(ClientRequest request) {
  Client client;
  Seen seen;
  auto response = co_await client.send(std::move(request));
  if (!response) {
    seen.error = response.error().kind;
    co_return seen;
  }
  seen.status = (*response)->status();
  for (;;) {
    const auto piece = co_await (*response)->next(0ms);
    if (!piece) seen.error = piece.error().kind;
    if (!piece || piece->empty()) co_return seen;
    seen.body += base::as_text(*piece);
  }
}

TEST(Client, fetches_a_body) {
  FakeUpstream upstream;
  upstream.on("GET /x", test::reply(200, "hello", {{"X-Thing", "1"}}));
  const auto seen = run_task(fetch(get(upstream, "/x")));
  EXPECT_FALSE(seen.error);
  EXPECT_EQ(seen.status, 200);
  EXPECT_EQ(seen.body, "hello");
}

TEST(Client, sends_only_what_it_was_given) {
  FakeUpstream upstream;
  upstream.on("GET /a/../b", test::reply(200, ""));
  auto request = get(upstream, "/a/../b?q=%2F");
  request.headers.add("X-Ours", "yes");
  run_task(fetch(std::move(request)));
  const auto got = upstream.last();
  EXPECT_EQ(got.target, "/a/../b?q=%2F");
  ASSERT_EQ(got.headers.size(), 2U);  // Host and ours
  EXPECT_EQ(got.header("X-Ours"), "yes");
}

TEST(Client, posts_a_form_without_expecting) {
  FakeUpstream upstream;
  upstream.on("POST /token", test::reply(200, "{}"));
  auto request = get(upstream, "/token");
  request.method = "POST";
  request.body = "a=b";
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  const auto seen = run_task(fetch(std::move(request)));
  EXPECT_EQ(seen.body, "{}");
  EXPECT_EQ(upstream.last().body, "a=b");
  EXPECT_EQ(upstream.last().header("Expect"), "-");
}

TEST(Client, puts_and_deletes) {
  FakeUpstream upstream;
  upstream.on("PUT /x", test::reply(201, "put"));
  upstream.on("DELETE /x", test::reply(202, "gone"));
  for (const std::string body : {"content", ""}) {
    auto request = get(upstream, "/x");
    request.method = "PUT";
    request.body = body;
    EXPECT_EQ(run_task(fetch(std::move(request))).body, "put");
    EXPECT_EQ(upstream.last().body, body);
    EXPECT_EQ(upstream.last().header("Content-Length"), std::to_string(body.size()));
    EXPECT_EQ(upstream.last().header("Content-Type"), "-");
    auto removal = get(upstream, "/x");
    removal.method = "DELETE";
    removal.body = body;
    EXPECT_EQ(run_task(fetch(std::move(removal))).body, "gone");
    EXPECT_EQ(upstream.last().body, body);
    EXPECT_EQ(upstream.last().header("Content-Length"), body.empty() ? "-" : "7");
  }
}

async::Task<std::vector<std::string>> fetch_each(std::vector<ClientRequest> requests) {
  std::vector<std::string> bodies;
  for (auto& request : requests) {
    const auto seen = co_await fetch(std::move(request));
    bodies.push_back(seen.error ? std::string(to_string(*seen.error)) : seen.body);
  }
  co_return bodies;
}

async::Task<Reply> answer_here(const Request& request) {
  co_return text_reply(200, "text/plain", "here " + std::string(*request.headers.get("Host")));
}

// One URL, by TCP and by a Unix socket: neither ever gets the other's connection.
TEST(Client, a_unix_socket_is_used_whatever_the_url_says) {
  const test::TempDir dir;
  const auto path = (dir.path() / "socket").string();
  Loopback server(answer_here, Listener{.address = "unix:" + path, .tls = nullptr});
  FakeUpstream upstream;
  upstream.on("GET /x", test::reply(200, "there"));
  const auto by_unix = transport();
  by_unix->unix_socket = path;
  by_unix->proxy = "http://127.0.0.1:1";
  const auto missing = transport();
  missing->unix_socket = path + ".none";
  auto judged = get(upstream, "/x", by_unix);
  judged.url = "http://192.0.2.1/x";
  judged.addresses = AddressPolicy::public_only;
  std::vector<ClientRequest> requests;
  const auto by_tcp = transport();
  for (const auto& how : {by_tcp, by_unix, by_tcp, by_unix, missing}) {
    requests.push_back(get(upstream, "/x", how));
  }
  requests.push_back(judged);
  const auto here = "here " + upstream.url().substr(std::string_view("http://").size());
  EXPECT_EQ(run_task(fetch_each(requests)),
            (std::vector<std::string>{"there", here, "there", here, "connect", "refused_address"}));
}

async::Task<std::optional<std::uint64_t>> head_length(ClientRequest request) {
  Client client;
  request.method = "HEAD";
  auto response = co_await client.send(std::move(request));
  if (!response) co_return std::nullopt;
  const auto end = co_await (*response)->next(0ms);
  EXPECT_TRUE(end && end->empty());
  co_return (*response)->content_length();
}

TEST(Client, head_has_a_length_and_no_body) {
  FakeUpstream upstream;
  upstream.on("HEAD /x", test::reply(200, "hello"));
  EXPECT_EQ(run_task(head_length(get(upstream, "/x"))), 5U);
}

TEST(Client, does_not_follow_redirects) {
  FakeUpstream upstream;
  upstream.on("GET /x", test::reply(307, "", {{"Location", "/y"}}));
  EXPECT_EQ(run_task(fetch(get(upstream, "/x"))).status, 307);
  EXPECT_EQ(upstream.count("/y"), 0U);
}

TEST(Client, refuses_to_smuggle_a_header) {
  FakeUpstream upstream;
  auto request = get(upstream, "/x");
  request.headers.add("Authorization", "Bearer a\r\nX-Evil: 1");
  EXPECT_EQ(run_task(fetch(std::move(request))).error, TransportErrorKind::broken);
  EXPECT_TRUE(upstream.requests().empty());
}

struct BrokenCase {
  const char* name;
  std::string bytes;
};

// Rows: H-16, C-02
TEST(Client, broken_answers_are_broken) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += "HTTP/1.1 103 Early Hints\r\n\r\n";
  const BrokenCase cases[] = {
      {"both framings",
       ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
      {"two lengths", ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"},
      {"flood", flood + ok + "Content-Length: 0\r\n\r\n"},
      {"huge header", ok + "X: " + std::string(100 * 1024, 'x') + "\r\n\r\n"},
      {"end in head", ok + "Content-Le"},
      {"nothing", ""},
      {"short body", ok + "Content-Length: 10\r\n\r\nhello"},
      {"no body", ok + "Content-Length: 10\r\n\r\n"},
      {"no last chunk", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"},
      {"chunk cut", ok + "Transfer-Encoding: chunked\r\n\r\nff\r\nhello"},
      {"bad chunk", ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"},
      {"not http", "hello\r\n\r\n"},
  };
  for (const auto& each : cases) {
    FakeUpstream upstream;
    upstream.on("GET", test::raw(each.bytes));
    EXPECT_EQ(run_task(fetch(get(upstream, "/x"))).error, TransportErrorKind::broken) << each.name;
  }
}

// Rows: N-07, C-02
TEST(Client, an_answer_cut_at_any_byte_is_never_taken_for_whole) {
  const std::vector<std::string> answers = {
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX-Some: header\r\n\r\n0123456789",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n",
  };
  FakeUpstream upstream;
  boost::asio::io_context context(1);
  const auto how = transport();
  for (const auto& answer : answers)
    for (std::size_t cut = 0; cut <= answer.size(); ++cut) {
      upstream.on(
          "GET",
          [answer, cut](test::Exchange& exchange) {
            exchange.send(answer.substr(0, cut));
            if (cut % 2 == 0)
              exchange.reset();
            else
              exchange.close();
          },
          1);
      const auto seen = run_on(context, fetch(get(upstream, "/x", how)));
      if (seen.error) continue;
      EXPECT_EQ(seen.body, "0123456789") << cut;
      EXPECT_GE(cut + 4, answer.size()) << cut;  // nothing but the last line ends may be missing
    }
}

// Rows: H-16
TEST(Client, bytes_past_the_length_are_not_taken_for_anything) {
  FakeUpstream upstream;
  upstream.on("GET /x", test::raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK"
                                  "\r\nContent-Length: 4\r\n\r\nevil"));
  upstream.on("GET /y", test::reply(200, "good"));
  boost::asio::io_context context(1);
  const auto how = transport();
  EXPECT_EQ(run_on(context, fetch(get(upstream, "/x", how))).body, "hello");
  EXPECT_EQ(run_on(context, fetch(get(upstream, "/y", how))).body, "good");
}

TEST(Client, a_body_without_length_ends_with_the_connection) {
  FakeUpstream upstream;
  upstream.on("GET", test::raw("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"));
  const auto seen = run_task(fetch(get(upstream, "/x")));
  EXPECT_FALSE(seen.error);
  EXPECT_EQ(seen.body, "hello");
}

// Rows: N-01
TEST(Client, a_refused_connection_is_told_apart) {
  std::string url;
  {
    const FakeUpstream gone;
    url = gone.url();
  }
  ClientRequest request;
  request.url = url;
  request.transport = transport();
  EXPECT_EQ(run_task(fetch(std::move(request))).error, TransportErrorKind::connect);
  ClientRequest nowhere;
  nowhere.url = "http://no-such-host.invalid/";
  nowhere.transport = transport();
  EXPECT_EQ(run_task(fetch(std::move(nowhere))).error, TransportErrorKind::resolve);
}

TEST(Client, waits_for_the_first_byte_only_so_long) {
  FakeUpstream upstream;
  upstream.on("GET", test::hang());
  const auto how = transport();
  how->first_byte = 100ms;
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(run_task(fetch(get(upstream, "/x", how))).error, TransportErrorKind::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
}

// Rows: C-09
TEST(Client, a_stalled_body_times_out) {
  FakeUpstream upstream;
  upstream.on("GET", [](test::Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    exchange.wait(60s);
  });
  const auto how = transport();
  how->idle = 100ms;
  const auto seen = run_task(fetch(get(upstream, "/x", how)));
  EXPECT_EQ(seen.error, TransportErrorKind::timeout);
  EXPECT_EQ(seen.body, "hello");
}

TEST(Client, the_total_limit_ends_a_trickle) {
  FakeUpstream upstream;
  upstream.on("GET", [](test::Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    while (!exchange.closed()) {
      exchange.send("x");
      exchange.wait(10ms);
    }
  });
  const auto how = transport();
  how->total = 200ms;
  EXPECT_EQ(run_task(fetch(get(upstream, "/x", how))).error, TransportErrorKind::timeout);
}

struct SlowRead {
  std::size_t bytes = 0;
  std::size_t largest = 0;
  bool failed = false;
};

async::Task<SlowRead> read_slowly(ClientRequest request, std::chrono::milliseconds pause) {
  Client client;
  SlowRead seen;
  auto response = co_await client.send(std::move(request));
  if (!response) {
    seen.failed = true;
    co_return seen;
  }
  for (;;) {
    co_await async::sleep_for(pause);
    const auto piece = co_await (*response)->next(5ms);
    if (!piece) seen.failed = true;
    if (!piece || piece->empty()) co_return seen;
    seen.bytes += piece->size();
    seen.largest = std::max(seen.largest, piece->size());
  }
}

// Rows: N-09
TEST(Client, a_slow_reader_pauses_the_transfer) {
  FakeUpstream upstream;
  const std::string body(20 << 20, 'b');
  upstream.on("GET", test::reply(200, body));
  const auto how = transport();
  how->idle = 100ms;  // a pause of ours is not the upstream's silence
  const auto seen = run_task(read_slowly(get(upstream, "/x", how), 5ms));
  EXPECT_FALSE(seen.failed);
  EXPECT_EQ(seen.bytes, body.size());
  EXPECT_LE(seen.largest, 256U * 1024);
}

async::Task<std::size_t> pieces(ClientRequest request, std::chrono::milliseconds gather) {
  Client client;
  auto response = co_await client.send(std::move(request));
  std::size_t count = 0;
  for (;;) {
    const auto piece = co_await (*response)->next(gather);
    if (!piece || piece->empty()) co_return count;
    ++count;
  }
}

TEST(Client, gathers_small_pieces) {
  FakeUpstream upstream;
  upstream.on("GET", [](test::Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n");
    for (int i = 0; i < 20; ++i) {
      exchange.send("x");
      exchange.wait(2ms);
    }
  });
  EXPECT_LE(run_task(pieces(get(upstream, "/x"), 500ms)), 2U);
}

async::Task<std::string> keep_pieces(ClientRequest request) {
  Client client;
  auto response = co_await client.send(std::move(request));
  std::vector<std::pair<std::shared_ptr<const void>, base::ByteView>> kept;
  for (;;) {
    const auto piece = co_await (*response)->next(0ms);
    if (!piece || piece->empty()) break;
    kept.emplace_back((*response)->piece_owner(), *piece);
  }
  response->reset();
  std::string whole;
  for (const auto& [owner, bytes] : kept) whole += base::as_text(bytes);
  co_return whole;
}

TEST(Client, a_held_piece_stays_as_it_was) {
  FakeUpstream upstream;
  std::string body;
  for (int i = 0; i < 300'000; ++i) body += std::to_string(i);
  upstream.on("GET", test::reply(200, body));
  EXPECT_EQ(run_task(keep_pieces(get(upstream, "/x"))), body);
}

// Rows: U-07, U-08
TEST(Client, public_only_refuses_loopback_by_address_and_by_name) {
  FakeUpstream upstream;
  upstream.on("GET", test::reply(200, "secret"));
  const std::string port = ":" + std::to_string(upstream.port()) + "/x";
  for (const std::string host : {"127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]",
                                 "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254"}) {
    ClientRequest request;
    request.url = "http://" + host + port;
    request.addresses = AddressPolicy::public_only;
    request.transport = transport();
    EXPECT_EQ(run_task(fetch(std::move(request))).error, TransportErrorKind::refused_address)
        << host;
  }
  EXPECT_TRUE(upstream.requests().empty());
}

// A name of this machine that means 127.0.0.1, other than localhost; empty when it has none. Only
// the check at connect can see where it leads.
std::string name_of_loopback() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return {};
  addrinfo hints{};
  hints.ai_family = AF_INET;
  addrinfo* found = nullptr;
  if (::getaddrinfo(name, nullptr, &hints, &found) != 0) return {};
  sockaddr_in address{};
  std::memcpy(&address, found->ai_addr, sizeof address);
  ::freeaddrinfo(found);
  return address.sin_addr.s_addr == htonl(INADDR_LOOPBACK) ? name : "";
}

// Rows: U-07, U-08
TEST(Client, public_only_does_not_borrow_an_open_connection) {
  const auto name = name_of_loopback();
  if (name.empty()) GTEST_SKIP() << "this machine's name is not a name of 127.0.0.1";
  FakeUpstream upstream;
  upstream.on("GET", test::reply(200, "secret"));
  boost::asio::io_context context(1);
  auto request = get(upstream, "/x");
  request.url = "http://" + name + ":" + std::to_string(upstream.port()) + "/x";
  EXPECT_EQ(run_on(context, fetch(request)).body, "secret");
  request.addresses = AddressPolicy::public_only;
  EXPECT_EQ(run_on(context, fetch(request)).error, TransportErrorKind::refused_address);
  EXPECT_EQ(upstream.requests().size(), 1U);
}

TEST(Client, reuses_a_connection_of_the_same_transport_only) {
  FakeUpstream upstream;
  upstream.on("GET", test::reply(200, "x"));
  boost::asio::io_context context(1);
  const auto one = transport();
  run_on(context, fetch(get(upstream, "/1", one)));
  run_on(context, fetch(get(upstream, "/2", one)));
  run_on(context, fetch(get(upstream, "/3", transport())));
  const auto seen = upstream.requests();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].connection, seen[1].connection);
  EXPECT_NE(seen[0].connection, seen[2].connection);
}

// Rows: U-15
TEST(Client, the_environment_names_no_proxy) {
  FakeUpstream upstream;
  FakeUpstream proxy;
  upstream.on("GET", test::reply(200, "direct"));
  proxy.on("GET", test::reply(200, "by proxy"));
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("all_proxy", proxy.url().c_str(), 1);
  EXPECT_EQ(run_task(fetch(get(upstream, "/x"))).body, "direct");
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
  const auto how = transport();
  how->proxy = proxy.url();
  EXPECT_EQ(run_task(fetch(get(upstream, "/x", how))).body, "by proxy");
  how->no_proxy = "127.0.0.0/8";
  EXPECT_EQ(run_task(fetch(get(upstream, "/x", how))).body, "direct");
}

async::Task<> take_head_and_leave(ClientRequest request, std::unique_ptr<Response>& kept) {
  Client client;
  auto response = co_await client.send(std::move(request));
  if (response) kept = std::move(*response);
}

TEST(Client, a_response_may_outlive_its_io_context) {
  FakeUpstream upstream;
  upstream.on("GET", test::reply(200, std::string(10 << 20, 'x')));
  std::unique_ptr<Response> kept;
  {
    boost::asio::io_context context(1);
    run_on(context, take_head_and_leave(get(upstream, "/x"), kept));
  }
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->status(), 200);
}

async::Task<> fetch_and_forget(ClientRequest request) { co_await fetch(std::move(request)); }

TEST(Client, an_io_context_may_end_amid_transfers) {
  FakeUpstream upstream;
  upstream.on("GET /hang", test::hang());
  upstream.on("GET /trickle", [](test::Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx");
    exchange.wait(60s);
  });
  boost::asio::io_context context(1);
  const auto how = transport();
  for (const char* path : {"/hang", "/trickle", "/hang", "/trickle"})
    async::spawn(context.get_executor(), fetch_and_forget(get(upstream, path, how)), "test");
  ClientRequest resolving;
  resolving.url = "http://resolving.invalid/";
  resolving.transport = how;
  async::spawn(context.get_executor(), fetch_and_forget(std::move(resolving)), "test");
  context.run_for(100ms);
}

async::Task<> abort_midway(ClientRequest request) {
  Client client;
  auto response = co_await client.send(std::move(request));
  if (response) co_await (*response)->next(0ms);
}

// Rows: N-08
TEST(Client, leaving_midway_closes_the_connection) {
  FakeUpstream upstream;
  std::atomic<int> cut = 0;
  upstream.on("GET", [&cut](test::Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    const std::string piece(1 << 16, 'x');
    while (!exchange.closed()) exchange.send(piece);
    ++cut;
  });
  boost::asio::io_context context(1);
  run_on(context, abort_midway(get(upstream, "/x")));
  for (int i = 0; i < 200 && cut == 0; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(cut, 1);
}

async::Task<> count_bodies(Client& client, std::string url, std::shared_ptr<const Transport> how,
                           std::size_t size, std::atomic<int>& good) {
  for (int i = 0; i < 20; ++i) {
    ClientRequest request;
    request.url = url;
    request.transport = how;
    auto response = co_await client.send(std::move(request));
    if (!response) continue;
    const auto body = co_await read_all(**response, size);
    if (body && body->size() == size) ++good;
  }
}

TEST(Client, serves_several_threads_at_once) {
  FakeUpstream upstream;
  const std::string body(300'000, 'x');
  upstream.on("GET", test::reply(200, body));
  Client client;
  const auto how = transport();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      boost::asio::io_context context(1);
      for (int c = 0; c < 4; ++c)
        async::spawn(context.get_executor(),
                     count_bodies(client, upstream.url() + "/x", how, body.size(), good), "test");
      context.run();
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 4 * 4 * 20);
}

async::Task<TransportErrorKind> read_too_much(ClientRequest request) {
  Client client;
  auto response = co_await client.send(std::move(request));
  const auto body = co_await read_all(**response, 4);
  co_return body ? TransportErrorKind::cancelled : body.error().kind;
}

TEST(Client, read_all_has_a_bound) {
  FakeUpstream upstream;
  upstream.on("GET /length", test::reply(200, "hello"));
  upstream.on("GET /chunked", test::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                        "5\r\nhello\r\n0\r\n\r\n"));
  EXPECT_EQ(run_task(read_too_much(get(upstream, "/length"))), TransportErrorKind::broken);
  EXPECT_EQ(run_task(read_too_much(get(upstream, "/chunked"))), TransportErrorKind::broken);
}

}  // namespace
}  // namespace entrepot::http::client_test
