// Bodies of requests, as handlers pull them.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "unit/http/loopback.hpp"

namespace entrepot::http::request_body_test {
namespace {

using std::chrono::milliseconds;

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 26) % 26);
  return text;
}

// Reads the whole body, or of "/some" the first piece, or of "/none" nothing; tells what it got.
struct Reader {
  std::mutex mutex;  // guards what follows
  std::vector<std::string> bodies;
  std::vector<std::optional<std::uint64_t>> lengths;
  std::size_t pieces = 0;
  std::string failure;

  static async::Task<Reply> answer(std::shared_ptr<Reader> reader, const Request& request) {
    std::string body;
    try {
      while (request.target.path != "/none") {
        const auto piece = co_await request.body->next();
        if (piece.empty()) break;
        const std::lock_guard lock(reader->mutex);
        ++reader->pieces;
        body += base::as_text(piece);
        if (request.target.path == "/some") break;
      }
    } catch (const std::exception& e) {
      const std::lock_guard lock(reader->mutex);
      reader->failure = e.what();
      throw;
    }
    const std::lock_guard lock(reader->mutex);
    reader->bodies.push_back(body);
    reader->lengths.push_back(request.body->length());
    co_return text_reply(201, "text/plain", std::to_string(body.size()));
  }

  std::string last() {
    const std::lock_guard lock(mutex);
    return bodies.empty() ? std::string() : bodies.back();
  }
};

struct Uploads {
  explicit Uploads(ServerLimits limits = {})
      : server(
            [reader = reader](const Request& request) { return Reader::answer(reader, request); },
            limits) {}

  std::shared_ptr<Reader> reader = std::make_shared<Reader>();
  Loopback server;
};

std::string put(std::string_view path, std::string_view more) {
  return "PUT " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(more) + "\r\n";
}

std::string of_length(std::string_view path, std::string_view body, std::string_view more = "") {
  return put(path, "Content-Length: " + std::to_string(body.size()) + "\r\n" + std::string(more)) +
         std::string(body);
}

std::string in_chunks(std::string_view body, std::size_t size) {
  std::string text;
  while (!body.empty()) {
    const auto piece = body.substr(0, size);
    text += fmt::format("{:x}{}\r\n{}\r\n", piece.size(), text.empty() ? ";a=b" : "", piece);
    body.remove_prefix(piece.size());
  }
  return text + "0\r\nX-Trailer: y\r\n\r\n";
}

const std::string chunked = "Transfer-Encoding: chunked\r\n";

TEST(RequestBody, arrives_whole_whatever_its_length) {
  Uploads uploads;
  RawClient client(uploads.server);
  for (const std::size_t size : {0U, 1U, 1000U, 65'536U, 262'144U, 262'145U, 5'000'000U}) {
    const auto body = pattern(size);
    client.send(of_length("/", body));
    EXPECT_EQ(client.receive().body, std::to_string(size));
    EXPECT_TRUE(uploads.reader->last() == body) << size;
    EXPECT_EQ(uploads.reader->lengths.back(), size);
  }
}

// Rows: H-11
TEST(RequestBody, arrives_whole_in_chunks_of_any_size) {
  Uploads uploads;
  RawClient client(uploads.server);
  for (const std::size_t size : {1U, 7U, 4096U, 32'768U, 300'000U}) {
    const auto body = pattern(size == 1 ? 300 : 1'000'000);
    client.send(put("/", chunked) + in_chunks(body, size) + get("/next"));
    EXPECT_EQ(client.receive().body, std::to_string(body.size())) << size;
    EXPECT_EQ(client.receive().status, 201);
    EXPECT_TRUE(uploads.reader->bodies[uploads.reader->bodies.size() - 2] == body) << size;
    EXPECT_FALSE(uploads.reader->lengths[uploads.reader->lengths.size() - 2].has_value());
  }
}

// Rows: H-15
TEST(RequestBody, any_split_gives_the_same_bodies) {
  Uploads uploads;
  const std::string requests = of_length("/", "hello") + put("/", chunked) +
                               "3;x\r\nabc\r\n4\r\ndefg\r\n0\r\nX: y\r\n\r\n" +
                               of_length("/none", "left") + get("/", "Connection: close\r\n");
  const std::vector<std::string> expected = {"hello", "abcdefg", "", ""};
  for (std::size_t split = 1; split < requests.size(); ++split) {
    RawClient client(uploads.server);
    client.send(requests.substr(0, split));
    std::this_thread::sleep_for(milliseconds(1));
    client.send(requests.substr(split));
    client.receive_all();
    const std::lock_guard lock(uploads.reader->mutex);
    ASSERT_EQ(std::exchange(uploads.reader->bodies, {}), expected) << "split at " << split;
  }
  RawClient client(uploads.server);
  for (const char c : requests) {
    client.send(std::string_view(&c, 1));
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  client.receive_all();
  EXPECT_EQ(uploads.reader->bodies, expected);
}

// Rows: H-12
TEST(RequestBody, what_the_handler_leaves_is_read_or_the_connection_closed) {
  const std::string small(64 * 1024, 'b');
  const std::string large(400 * 1024, 'b');
  for (const std::string path : {"/none", "/some"}) {
    Uploads uploads;
    RawClient client(uploads.server);
    client.send(of_length(path, small) + get("/after"));
    EXPECT_EQ(client.receive().status, 201);
    EXPECT_EQ(client.receive().status, 201);
    client.send(put(path, chunked) + in_chunks(small, 1000) + get("/after"));
    EXPECT_EQ(client.receive().status, 201);
    EXPECT_EQ(client.receive().status, 201);
    client.send(of_length(path, large + large));
    const auto last = client.receive();
    EXPECT_EQ(last.status, 201) << path;
    EXPECT_EQ(last.headers.at("connection"), "close") << path;
    client.end_writing();
    EXPECT_EQ(client.ending(), Ending::end);
    RawClient other(uploads.server);
    other.send(put(path, chunked) + in_chunks(large + large, 100'000) + get("/smuggled"));
    EXPECT_EQ(other.receive().headers.at("connection"), "close") << path;
    other.end_writing();
    EXPECT_EQ(other.receive_all(), "");
  }
}

// Rows: H-14
TEST(RequestBody, permission_to_send_comes_with_the_first_pull_or_not_at_all) {
  Uploads uploads;
  const std::string expects = "Expect: 100-continue\r\nContent-Length: 5\r\n";
  RawClient client(uploads.server);
  client.send(put("/", expects));
  EXPECT_TRUE(client.receive_some("HTTP/1.1 100 Continue\r\n\r\n"));
  EXPECT_EQ(client.receive().status, 100);
  client.send("hello" + get("/"));
  EXPECT_EQ(client.receive().body, "5");
  EXPECT_EQ(client.receive().status, 201);
  client.send(put("/", expects) + "early");
  EXPECT_EQ(client.receive().body, "5") << "whoever does not wait needs no permission";
  client.send(put("/none", expects));
  const auto refused = client.receive();
  EXPECT_EQ(refused.status, 201);
  EXPECT_EQ(refused.headers.at("connection"), "close");
  client.end_writing();
  EXPECT_EQ(client.receive_all(), "");
}

TEST(RequestBody, of_requests_that_need_none_is_gone_before_the_handler_looks) {
  Uploads uploads;
  RawClient client(uploads.server);
  client.send("DELETE / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" + get("/"));
  EXPECT_EQ(client.receive().body, "0");
  EXPECT_EQ(client.receive().body, "0");
  EXPECT_EQ(uploads.reader->lengths[0], 0U);
}

TEST(RequestBody, malformed_chunks_are_refused_and_end_the_connection) {
  Uploads uploads;
  for (const std::string path : {"/", "/none"}) {
    RawClient client(uploads.server);
    client.send(put(path, chunked) + "5\r\nhelloX" + get("/smuggled"));
    const auto answer = client.receive();
    EXPECT_EQ(answer.status, path == "/" ? 400 : 201);
    EXPECT_EQ(answer.headers.at("connection"), "close");
    client.end_writing();
    EXPECT_EQ(client.receive_all(), "");
  }
}

TEST(RequestBody, of_a_client_that_leaves_ends_in_an_exception) {
  for (const std::string& head : {std::string("Content-Length: 100000\r\n"), chunked}) {
    Uploads uploads;
    RawClient client(uploads.server);
    client.send(put("/", head) + "5\r\nhel");
    EXPECT_TRUE(Loopback::wait_until([&] {
      const std::lock_guard lock(uploads.reader->mutex);
      return uploads.reader->pieces > 0;
    }));
    client.close();
    const auto observed = uploads.server.observed(1);
    EXPECT_EQ(observed[0].status, 499);
    EXPECT_FALSE(observed[0].complete);
    EXPECT_THAT(uploads.reader->failure, testing::HasSubstr("left"));
    EXPECT_TRUE(Loopback::wait_until([&] { return uploads.server.opened() == 0; }));
  }
}

// Rows: R-02
TEST(RequestBody, that_stands_still_is_answered_408) {
  Uploads uploads({.stall = milliseconds(80)});
  RawClient client(uploads.server);
  client.send(put("/", "Content-Length: 100\r\n") + "some");
  const auto answer = client.receive();
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_EQ(uploads.server.observed(1)[0].status, 408);
  EXPECT_THAT(uploads.reader->failure, testing::HasSubstr("slowly"));
}

// Rows: R-02
TEST(RequestBody, that_drips_is_cut_off_one_that_is_only_slow_is_not) {
  Uploads uploads({.least_bytes_per_second = 10'000, .rate_window = milliseconds(100)});
  RawClient dripping(uploads.server);
  RawClient slow(uploads.server);
  dripping.send(put("/", "Content-Length: 1000000\r\n"));
  slow.send(put("/", "Content-Length: 50000\r\n"));
  for (int i = 0; i < 50; ++i) {
    dripping.send("x");
    slow.send(std::string(1000, 'x'));
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(slow.receive().body, "50000");
  EXPECT_EQ(dripping.receive().status, 408);
}

async::Task<Reply> tell_when_sent(std::shared_ptr<std::atomic<int>> count, const Request& request) {
  auto reply = text_reply(200, "text/plain", "x");
  reply.after_sent = [count] { ++*count; };
  if (request.target.path == "/broken") {
    auto file = std::make_shared<const base::UniqueFd>();
    reply.body.emplace_back(SourcePart{async::file_source(std::move(file), 9), 0, 9});
  }
  co_return reply;
}

TEST(Reply, tells_when_its_last_byte_was_sent) {
  const auto count = std::make_shared<std::atomic<int>>(0);
  Loopback server([count](const Request& request) { return tell_when_sent(count, request); });
  RawClient client(server);
  client.send(get("/") + get("/broken") + get("/"));
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(client.receive().status, 500);
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_TRUE(Loopback::wait_until([&] { return *count == 2; }));
}

async::Task<Reply> read_little(const Request& request) {
  const auto text = co_await read_all(*request.body, 10);
  co_return text_reply(200, "text/plain", text.value_or("too much"));
}

TEST(RequestBody, read_all_stops_at_its_limit) {
  Loopback server(read_little);
  RawClient client(server);
  client.send(of_length("/", "0123456789") + of_length("/", "0123456789x") + put("/", chunked) +
              in_chunks("0123456789", 3) + put("/", chunked) + in_chunks("0123456789x", 3) +
              of_length("/", ""));
  for (const auto* expected : {"0123456789", "too much", "0123456789", "too much", ""}) {
    EXPECT_EQ(client.receive().body, expected);
  }
}

}  // namespace
}  // namespace entrepot::http::request_body_test
