// Request bodies read from a ByteSource while they are sent.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <fstream>
#include <thread>

#include "entrepot/http/client.hpp"
#include "support/fake_upstream.hpp"
#include "support/run_task.hpp"
#include "support/temp_dir.hpp"

namespace entrepot::http::upload_test {
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

std::string numbers(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < std::min<std::size_t>(size, 600'000); ++i)
    text += std::to_string(i) + ' ';
  while (text.size() < size) text += text;
  text.resize(size);
  return text;
}

ClientRequest put(const FakeUpstream& upstream, std::shared_ptr<async::ByteSource> source,
                  std::shared_ptr<const Transport> how = transport()) {
  ClientRequest request;
  request.method = "PUT";
  request.url = upstream.url() + "/x";
  request.upload = std::move(source);
  request.transport = std::move(how);
  return request;
}

struct Seen {
  int status = 0;
  std::string body;
  std::optional<TransportErrorKind> error;
};

async::Task<Seen> exchange(ClientRequest request) {
  Client client;
  auto response = co_await client.send(std::move(request));
  if (!response) co_return Seen{.status = 0, .body = "", .error = response.error().kind};
  Seen seen{.status = (*response)->status(), .body = "", .error = {}};
  auto body = co_await read_all(**response, 1 << 20);
  if (!body) seen.error = body.error().kind;
  if (body) seen.body = *body;
  co_return seen;
}

// Gives at most `step` bytes at a time, after `pause`; throws at `fail_at`.
class Slow : public async::ByteSource {
 public:
  Slow(std::string text, std::uint64_t step, std::chrono::milliseconds pause = 0ms,
       std::uint64_t fail_at = UINT64_MAX)
      : text_(std::move(text)), step_(step), pause_(pause), fail_at_(fail_at) {}

  std::uint64_t size() const override { return text_.size(); }
  async::Task<async::Chunk> read_at(std::uint64_t offset, std::uint64_t most) override {
    if (pause_.count() > 0) co_await async::sleep_for(pause_);
    if (offset >= fail_at_) throw std::runtime_error("the source broke");
    co_return async::memory_chunk(text_.substr(offset, std::min(most, step_)));
  }

 private:
  std::string text_;
  std::uint64_t step_;
  std::chrono::milliseconds pause_;
  std::uint64_t fail_at_;
};

struct UploadCase {
  const char* method;
  std::size_t size;
  std::uint64_t from;
  std::uint64_t step;
};

TEST(Upload, sends_what_the_source_gives) {
  const UploadCase cases[] = {
      {"PUT", 0, 0, 1},
      {"PUT", 5, 5, 1},
      {"POST", 1, 0, 1},
      {"PATCH", 300, 0, 7},
      {"PATCH", 300, 299, 7},
      {"PUT", 70'000, 1, 65'536},
      {"PUT", 3 << 20, 0, 1000},
      {"POST", 3 << 20, 4096, 1 << 30},
      {"PATCH", 65'536, 0, 65'536},
  };
  FakeUpstream upstream;
  upstream.on("/x", test::reply(201, "stored"));
  boost::asio::io_context context(1);
  const auto how = transport();
  for (const auto& each : cases) {
    const auto text = numbers(each.size);
    auto request = put(upstream, std::make_shared<Slow>(text, each.step), how);
    request.method = each.method;
    request.upload_from = each.from;
    const auto seen = run_on(context, exchange(std::move(request)));
    EXPECT_EQ(seen.status, 201);
    EXPECT_EQ(seen.body, "stored");
    const auto got = upstream.last();
    EXPECT_EQ(got.method, each.method);
    EXPECT_EQ(got.header("Content-Length"), std::to_string(each.size - each.from));
    EXPECT_TRUE(got.body == text.substr(each.from)) << each.size;
    EXPECT_EQ(got.header("Expect"), "-");
    EXPECT_EQ(got.header("Transfer-Encoding"), "-");
    EXPECT_EQ(got.connection, 0);  // all on one
  }
}

TEST(Upload, sends_a_file) {
  const test::TempDir dir;
  const auto path = (dir.path() / "blob").string();
  const auto text = numbers(5 << 20);
  std::ofstream(path) << text;
  auto fd = std::make_shared<base::UniqueFd>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  FakeUpstream upstream;
  upstream.on("PUT", test::reply(201, ""));
  auto request = put(upstream, async::file_source(fd, text.size()));
  request.upload_from = 1000;
  EXPECT_EQ(run_task(exchange(std::move(request))).status, 201);
  EXPECT_TRUE(upstream.last().body == text.substr(1000));
  // The file is shorter than it was said to be.
  request = put(upstream, async::file_source(fd, text.size() + 1));
  EXPECT_THROW(run_task(exchange(std::move(request))), std::system_error);
}

TEST(Upload, patches_without_a_body_too) {
  FakeUpstream upstream;
  upstream.on("PATCH", test::reply(202, ""));
  auto request = put(upstream, nullptr);
  request.method = "PATCH";
  EXPECT_EQ(run_task(exchange(request)).status, 202);
  EXPECT_EQ(upstream.last().header("Content-Length"), "0");
  request.body = "text";
  EXPECT_EQ(run_task(exchange(request)).status, 202);
  EXPECT_EQ(upstream.last().method, "PATCH");
  EXPECT_EQ(upstream.last().body, "text");
}

TEST(Upload, what_the_source_throws_ends_the_exchange) {
  FakeUpstream upstream;
  upstream.on("PUT", test::reply(201, ""));
  const auto text = numbers(1 << 20);
  for (const std::uint64_t fail_at : {0ULL, 1000ULL, 1'000'000ULL}) {
    auto request = put(upstream, std::make_shared<Slow>(text, 1000, 0ms, fail_at));
    EXPECT_THROW(run_task(exchange(std::move(request))), std::runtime_error);
  }
  EXPECT_TRUE(upstream.requests().empty());
  auto request = put(upstream, std::make_shared<Slow>(text, 1000));
  request.upload_from = text.size() + 1;
  EXPECT_THROW(run_task(exchange(std::move(request))), std::out_of_range);
}

// The source may be slower than what we grant the server.
TEST(Upload, no_limit_runs_while_the_source_is_read) {
  FakeUpstream upstream;
  upstream.on("PUT", test::reply(201, ""));
  const auto how = transport();
  how->idle = how->first_byte = 100ms;
  const auto seen = run_task(exchange(put(upstream, std::make_shared<Slow>("ab", 1, 300ms), how)));
  EXPECT_FALSE(seen.error);
  EXPECT_EQ(upstream.last().body, "ab");
}

test::Action answer_and_close(int status, bool reset) {
  return [status, reset](test::Exchange& exchange) {
    exchange.send(test::head_text(status, {{"Content-Length", "2"}}) + "no");
    exchange.wait(20ms);
    if (reset) exchange.reset();
    exchange.close();
  };
}

TEST(Upload, an_early_answer_ends_the_sending) {
  for (const int status : {200, 201, 307, 401, 413, 503})
    for (const bool reset : {false, true}) {
      FakeUpstream upstream;
      upstream.before_body("PUT", answer_and_close(status, reset));
      upstream.on("GET", test::reply(200, "next"));
      boost::asio::io_context context(1);
      const auto how = transport();
      const auto source = std::make_shared<Slow>(numbers(32 << 20), 100'000);
      const auto seen = run_on(context, exchange(put(upstream, source, how)));
      EXPECT_EQ(seen.status, status) << reset;
      EXPECT_FALSE(seen.error) << status << reset;
      EXPECT_EQ(seen.body, "no");
      // Never on the connection whose request is not whole.
      auto next = put(upstream, nullptr, how);
      next.method = "GET";
      EXPECT_EQ(run_on(context, exchange(std::move(next))).body, "next");
      EXPECT_EQ(upstream.last().connection, 1);
    }
}

// Answered between two pieces of a source that takes its time.
TEST(Upload, an_answer_is_seen_while_the_source_is_slow) {
  FakeUpstream upstream;
  upstream.before_body("PUT", answer_and_close(413, false));
  const auto source = std::make_shared<Slow>(numbers(1000), 1, 20ms);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(run_task(exchange(put(upstream, source))).status, 413);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
}

TEST(Upload, a_server_that_takes_nothing_is_given_up) {
  FakeUpstream upstream;
  upstream.before_body("PUT", test::hang());
  const auto how = transport();
  how->idle = 200ms;
  const auto source = std::make_shared<Slow>(numbers(64 << 20), 1 << 20);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(run_task(exchange(put(upstream, source, how))).error, TransportErrorKind::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
}

// Rows: N-06
TEST(Upload, a_slow_server_is_not_a_stalled_one) {
  FakeUpstream upstream;
  std::atomic<std::size_t> got = 0;
  upstream.before_body("PUT", [&got](test::Exchange& exchange) {
    const auto size = std::stoul(exchange.request.header("Content-Length"));
    while (exchange.request.body.size() < size && !exchange.closed()) {
      exchange.receive(256 << 10);
      exchange.wait(5ms);
    }
    got = exchange.request.body.size();
    exchange.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    exchange.close();
  });
  const auto how = transport();
  how->idle = 300ms;
  how->first_byte = 300ms;
  const auto text = numbers(16 << 20);
  const auto source = std::make_shared<Slow>(text, 1 << 20);
  EXPECT_EQ(run_task(exchange(put(upstream, source, how))).status, 201);
  EXPECT_EQ(got, text.size());
}

TEST(Upload, a_connection_lost_midway_is_broken) {
  FakeUpstream upstream;
  upstream.before_body("PUT", [](test::Exchange& exchange) {
    exchange.receive(1000);
    exchange.reset();
  });
  const auto source = std::make_shared<Slow>(numbers(8 << 20), 1 << 16);
  EXPECT_EQ(run_task(exchange(put(upstream, source))).error, TransportErrorKind::broken);
}

// A connection that the server closes while the next request is on its way: curl begins again on a
// new one where it can (it was closed before the first byte was taken), and says so where not.
TEST(Upload, a_stale_connection_costs_no_bytes) {
  FakeUpstream upstream;
  upstream.on("GET", [](test::Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    exchange.close();
  });
  upstream.on("PUT", test::reply(201, ""));
  boost::asio::io_context context(1);
  const auto how = transport();
  const auto text = numbers(1 << 20);
  for (int i = 0; i < 10; ++i) {
    auto first = put(upstream, nullptr, how);
    first.method = "GET";
    run_on(context, exchange(std::move(first)));
    const auto source = std::make_shared<Slow>(text, 100'000);
    const auto seen = run_on(context, exchange(put(upstream, source, how)));
    if (seen.error == TransportErrorKind::broken) continue;
    EXPECT_EQ(seen.status, 201);
    EXPECT_TRUE(upstream.last().body == text);
  }
}

TEST(Upload, expects_when_the_caller_says_so) {
  FakeUpstream upstream;
  upstream.before_body("PUT", [](test::Exchange& exchange) {
    EXPECT_EQ(exchange.request.header("Expect"), "100-continue");
    EXPECT_EQ(exchange.request.body, "");
    exchange.send("HTTP/1.1 100 Continue\r\n\r\n");
    while (exchange.request.body.size() < 5 && exchange.receive(100) > 0) {
    }
    exchange.send(test::head_text(201, {{"Content-Length", "0"}}));
    exchange.close();
  });
  auto request = put(upstream, async::memory_source("hello"));
  request.headers.add("Expect", "100-continue");
  EXPECT_EQ(run_task(exchange(std::move(request))).status, 201);
}

async::Task<> exchange_and_forget(ClientRequest request) { co_await exchange(std::move(request)); }

// Rows: N-08
TEST(Upload, may_be_cancelled_or_lose_its_io_context_at_any_point) {
  FakeUpstream upstream;
  upstream.before_body("PUT", [](test::Exchange& exchange) {
    while (exchange.receive(1 << 16) > 0) exchange.wait(1ms);
  });
  const auto how = transport();
  for (int i = 0; i < 20; ++i) {
    boost::asio::io_context context(1);
    async::asio::cancellation_signal cancel;
    const auto source = std::make_shared<Slow>(numbers(4 << 20), 50'000, i % 2 == 0 ? 1ms : 0ms);
    bool finished = false;
    async::spawn_cancellable(context.get_executor(),
                             exchange_and_forget(put(upstream, source, how)), "test", cancel.slot(),
                             [&finished] { finished = true; });
    context.run_for(std::chrono::milliseconds(i));
    if (i % 4 < 2) continue;  // the context goes as it is
    cancel.emit(async::asio::cancellation_type::terminal);
    context.run_for(2s);
    EXPECT_TRUE(finished);
  }
}

// What the kernel holds must not arrive when somebody else has resumed long since.
TEST(Upload, what_is_given_up_is_cut_off) {
  for (const bool thrown : {false, true}) {
    FakeUpstream upstream;
    std::atomic<bool> reset = false;
    std::atomic<bool> given_up = false;
    upstream.before_body("PUT", [&](test::Exchange& exchange) {
      while (!given_up) exchange.wait(1ms);
      while (exchange.receive(1 << 12) > 0) {
      }
      reset = errno == ECONNRESET;
    });
    const auto how = transport();
    how->idle = 200ms;
    const auto text = numbers(64 << 20);
    const auto source = std::make_shared<Slow>(text, 1 << 16, 0ms, thrown ? 1 << 16 : UINT64_MAX);
    auto request = put(upstream, source, how);
    if (thrown)
      EXPECT_THROW(run_task(exchange(std::move(request))), std::runtime_error);
    else
      EXPECT_EQ(run_task(exchange(std::move(request))).error, TransportErrorKind::timeout);
    given_up = true;
    for (int i = 0; i < 1000 && !reset; ++i) std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(reset) << thrown;
  }
}

// What is held does not grow with the body.
TEST(Upload, holds_one_chunk) {
  const test::TempDir dir;
  const auto path = (dir.path() / "large").string();
  base::UniqueFd made(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  constexpr std::uint64_t size = 256 << 20;
  ASSERT_EQ(::ftruncate(made.get(), size), 0);
  FakeUpstream upstream;
  std::atomic<std::uint64_t> got = 0;
  upstream.before_body("PUT", [&got](test::Exchange& exchange) {
    got = exchange.request.body.size();
    while (got < size && !exchange.closed()) {
      got += exchange.receive(1 << 20);
      exchange.request.body.clear();
    }
    exchange.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    exchange.close();
  });
  const auto shared = std::make_shared<const base::UniqueFd>(std::move(made));
  EXPECT_EQ(run_task(exchange(put(upstream, async::file_source(shared, size)))).status, 201);
  EXPECT_EQ(got, size);
}

}  // namespace
}  // namespace entrepot::http::upload_test
