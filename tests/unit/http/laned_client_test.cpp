// Exchanges that keep to their lanes, with a real server.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <thread>

#include "entrepot/http/client.hpp"
#include "support/fake_upstream.hpp"
#include "support/metric.hpp"
#include "support/run_task.hpp"

namespace entrepot::http::laned_client_test {
namespace {

using namespace std::chrono_literals;
using test::FakeUpstream;
using test::run_task;

ClientRequest get(const FakeUpstream& upstream, std::shared_ptr<Lane> lane) {
  auto how = std::make_shared<Transport>();
  how->first_byte = how->idle = 200ms;  // of the server: what we wait ourselves is not on it
  ClientRequest request;
  request.url = upstream.url() + "/x";
  request.lane = std::move(lane);
  request.transport = std::move(how);
  return request;
}

ClientRequest put(const FakeUpstream& upstream, std::shared_ptr<Lane> lane, std::string body) {
  auto request = get(upstream, std::move(lane));
  request.method = "PUT";
  request.upload = async::memory_source(std::move(body));
  return request;
}

std::shared_ptr<Lane> limited(std::uint64_t bytes_per_second) {
  auto lane = std::make_shared<Lane>();
  lane->bytes = {std::make_shared<TokenBucket>(bytes_per_second, base::system_clock())};
  return lane;
}

async::Task<std::size_t> body_size(ClientRequest request) {
  Client client;
  auto response = co_await client.send(std::move(request));
  std::size_t size = 0;
  while (response) {
    const auto piece = co_await (*response)->next(0ms);
    if (!piece || piece->empty()) co_return piece ? size : 0;
    size += piece->size();
  }
  co_return 0;
}

async::Task<int> status(ClientRequest request) {
  Client client;
  auto response = co_await client.send(std::move(request));
  co_return response ? (*response)->status() : 0;
}

template <class Work>
std::chrono::duration<double> time_of(Work work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::steady_clock::now() - began;
}

// Only the lower bound: a busy machine may take longer.
TEST(LanedClient, a_download_keeps_to_its_limit) {
  FakeUpstream upstream;
  upstream.on("GET", test::reply(200, std::string(1 << 20, 'x')));
  const auto took = time_of([&] {
    EXPECT_EQ(run_task(body_size(get(upstream, limited(2 << 20)))), std::size_t{1} << 20);
  });
  EXPECT_GT(took, 0.35s);
  EXPECT_LT(took, 3s);
}

TEST(LanedClient, an_upload_keeps_to_its_limit) {
  FakeUpstream upstream;
  upstream.on("PUT", test::reply(201, ""));
  const std::string body(1 << 20, 'x');
  const auto took =
      time_of([&] { EXPECT_EQ(run_task(status(put(upstream, limited(2 << 20), body))), 201); });
  EXPECT_TRUE(upstream.last().body == body);
  EXPECT_GT(took, 0.35s);
  EXPECT_LT(took, 3s);
}

// The server sees the limit too: what it could send ahead fits into small buffers.
TEST(LanedClient, little_goes_by_a_limit) {
  FakeUpstream upstream;
  std::atomic<std::size_t> sent = 0;
  upstream.on("GET", [&sent](test::Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    const std::string piece(1 << 14, 'x');
    while (!exchange.closed()) {
      exchange.send(piece);
      if (!exchange.closed()) sent += piece.size();
    }
  });
  boost::asio::io_context context(1);
  const auto lane = limited(1 << 20);
  lane->priority = Priority::replication;
  std::size_t got = 0;
  async::spawn(
      context.get_executor(),
      [](ClientRequest request, std::size_t& into) -> async::Task<> {
        into = co_await body_size(std::move(request));
      }(get(upstream, lane), got),
      "test");
  context.run_for(1s);
  EXPECT_GT(sent, std::size_t{700} << 10);
  EXPECT_LT(sent, std::size_t{8} << 20);  // the kernel's send buffer, which is the server's
}

TEST(LanedClient, an_answer_ends_an_upload_that_waits_for_its_lane) {
  FakeUpstream upstream;
  upstream.before_body("PUT", [](test::Exchange& exchange) {
    exchange.send("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n");
    exchange.wait(20ms);
    exchange.close();
  });
  const auto took = time_of([&] {
    EXPECT_EQ(run_task(status(put(upstream, limited(1000), std::string(1 << 20, 'x')))), 413);
  });
  EXPECT_LT(took, 5s);
}

TEST(LanedClient, requests_keep_to_their_limit) {
  FakeUpstream upstream;
  upstream.on("GET", test::reply(200, "x"));
  const auto lane = std::make_shared<Lane>();
  lane->requests = {std::make_shared<TokenBucket>(10, base::system_clock())};
  const auto took = time_of([&] {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(run_task(body_size(get(upstream, lane))), 1U);
  });
  EXPECT_GT(took, 0.28s);
}

constexpr const char* replicated = R"(entrepot_line_bytes_total{priority="replication"})";

TEST(LanedClient, replication_stands_back_and_comes_back) {
  FakeUpstream upstream;
  constexpr std::size_t size = 4 << 20;
  upstream.on("GET", test::reply(200, std::string(size, 'x')));
  upstream.on("PUT", test::reply(201, ""));
  base::Metrics metrics;
  const auto line = make_line(base::system_clock(), metrics);
  const auto copies = std::make_shared<Lane>(Lane{.priority = Priority::replication, .line = line});
  for (const bool upload : {false, true}) {
    std::atomic<double> meanwhile = 0;
    line->interactive(0);
    std::thread people([&] {
      const auto before = test::value_of(metrics, replicated);
      for (int i = 0; i < 50; ++i) {
        line->interactive(1);
        std::this_thread::sleep_for(10ms);
      }
      meanwhile = test::value_of(metrics, replicated) - before;
    });
    const auto took = time_of([&] {
      if (upload)
        EXPECT_EQ(run_task(status(put(upstream, copies, std::string(size, 'x')))), 201);
      else
        EXPECT_EQ(run_task(body_size(get(upstream, copies))), size);
    });
    people.join();
    EXPECT_LT(meanwhile, size / 2);
    EXPECT_GT(took, 0.4s);
    EXPECT_LT(took, 5s);
  }
  EXPECT_GE(test::value_of(metrics, replicated), 2 * size);
}

TEST(LanedClient, people_move_at_once_and_are_heard) {
  FakeUpstream upstream;
  upstream.on("GET", test::reply(200, std::string(1 << 20, 'x')));
  base::Metrics metrics;
  const auto line = make_line(base::system_clock(), metrics);
  const auto people = std::make_shared<Lane>(Lane{.line = line});
  EXPECT_EQ(run_task(body_size(get(upstream, people))), std::size_t{1} << 20);
  EXPECT_EQ(test::value_of(metrics, R"(entrepot_line_bytes_total{priority="interactive"})"),
            1 << 20);
  Line::Turn turn;
  line->replication(1 << 20, turn);
  EXPECT_GT(line->replication(1, turn).count(), 0);
}

async::Task<> fetch_and_forget(ClientRequest request) { co_await body_size(std::move(request)); }

// Rows: N-08
TEST(LanedClient, who_waits_for_a_lane_may_be_cancelled) {
  FakeUpstream upstream;
  upstream.on("GET", test::reply(200, std::string(1 << 20, 'x')));
  for (const bool cancelled : {false, true})
    for (const bool upload : {false, true}) {
      boost::asio::io_context context(1);
      async::asio::cancellation_signal cancel;
      bool finished = false;
      const auto lane = limited(1000);
      auto request = upload ? put(upstream, lane, std::string(1 << 20, 'x')) : get(upstream, lane);
      async::spawn_cancellable(context.get_executor(), fetch_and_forget(std::move(request)), "test",
                               cancel.slot(), [&finished] { finished = true; });
      context.run_for(50ms);
      if (!cancelled) continue;  // the context goes as it is
      cancel.emit(async::asio::cancellation_type::terminal);
      context.run_for(2s);
      EXPECT_TRUE(finished);
    }
}

}  // namespace
}  // namespace entrepot::http::laned_client_test
