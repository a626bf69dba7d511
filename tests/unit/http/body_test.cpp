// How bodies leave: whole, in ranges, from sources that grow, fail or dawdle, to clients that do.
#include <sys/mman.h>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/base/bytes.hpp"
#include "entrepot/http/range.hpp"
#include "unit/http/loopback.hpp"

namespace entrepot::http::body_test {
namespace {

using std::chrono::milliseconds;

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 26) % 26);
  return text;
}

std::shared_ptr<const base::UniqueFd> file_of(std::string_view content) {
  auto file = std::make_shared<const base::UniqueFd>(::memfd_create("body", MFD_CLOEXEC));
  EXPECT_EQ(::write(file->get(), content.data(), content.size()),
            static_cast<ssize_t>(content.size()));
  return file;
}

// A file that grows while it is read, as a Fill's spool does; ends in `failure` or all its bytes.
struct Growth {
  std::shared_ptr<const base::UniqueFd> file = file_of("");
  std::uint64_t size = 0;

  std::mutex mutex;  // guards what follows
  std::uint64_t readable = 0;
  bool failed = false;
  async::Broadcast changed;
  std::atomic<int> readers = 0;

  void grow(std::string_view bytes) {
    EXPECT_EQ(::write(file->get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    change([&] { readable += bytes.size(); });
  }
  void fail() {
    change([&] { failed = true; });
  }
  template <class Change>
  void change(Change apply) {
    {
      const std::lock_guard lock(mutex);
      apply();
    }
    changed.notify_all();
  }
};

class GrowingSource : public async::ByteSource {
 public:
  explicit GrowingSource(std::shared_ptr<Growth> growth) : growth_(std::move(growth)) {
    ++growth_->readers;
  }
  ~GrowingSource() override { --growth_->readers; }

  std::uint64_t size() const override { return growth_->size; }

  async::Task<async::Chunk> read_at(std::uint64_t offset, std::uint64_t most) override {
    for (;;) {
      std::uint64_t ticket = 0;
      {
        const std::lock_guard lock(growth_->mutex);
        if (growth_->readable > offset) {
          const auto length = std::min(most, growth_->readable - offset);
          co_return async::FileSlice{.file = growth_->file, .offset = offset, .length = length};
        }
        if (growth_->failed) throw std::runtime_error("digest mismatch");
        ticket = growth_->changed.ticket();
      }
      co_await growth_->changed.wait(ticket);
    }
  }

 private:
  std::shared_ptr<Growth> growth_;
};

async::Task<Reply> serve_file(std::shared_ptr<const base::UniqueFd> file, std::uint64_t size,
                              const Request& request) {
  Reply reply;
  set_content(reply, request, async::file_source(std::move(file), size), "application/x", "\"t\"");
  co_return reply;
}

async::Task<Reply> serve_growth(std::shared_ptr<Growth> growth, const Request& request) {
  if (request.target.path == "/other") co_return text_reply(200, "text/plain", "other");
  Reply reply;
  set_content(reply, request, std::make_unique<GrowingSource>(std::move(growth)), "application/x",
              "\"t\"");
  co_return reply;
}

Handler file_handler(const std::string& content, std::uint64_t size) {
  return [file = file_of(content), size](const Request& request) {
    return serve_file(file, size, request);
  };
}

Handler growth_handler(const std::shared_ptr<Growth>& growth) {
  return [growth](const Request& request) { return serve_growth(growth, request); };
}

TEST(Body, files_of_any_size_arrive_whole_and_keep_the_connection) {
  for (const std::size_t size : {0U, 1U, 16'384U, 16'385U, 1'048'577U, 5'000'000U}) {
    const auto content = pattern(size);
    Loopback server(file_handler(content, size));
    RawClient client(server);
    for (int i = 0; i < 2; ++i) {
      client.send(get("/"));
      EXPECT_TRUE(client.receive().body == content) << size;
    }
    const auto observed = server.observed(2);
    EXPECT_EQ(observed[0].bytes, size);
    EXPECT_TRUE(observed[0].complete);
  }
}

TEST(Body, ranges_of_a_file) {
  const auto content = pattern(300'000);
  Loopback server(file_handler(content, content.size()));
  RawClient client(server);
  client.send(get("/", "Range: bytes=100000-250000\r\n"));
  const auto one = client.receive();
  EXPECT_EQ(one.status, 206);
  EXPECT_EQ(one.headers.at("content-range"), "bytes 100000-250000/300000");
  EXPECT_TRUE(one.body == content.substr(100'000, 150'001));
  client.send(get("/", "Range: bytes=0-9,200000-299998,-1\r\n"));
  const auto several = client.receive();
  EXPECT_EQ(several.status, 206);
  const auto type = several.headers.at("content-type");
  const auto boundary = "\r\n--" + type.substr(type.find('=') + 1);
  EXPECT_TRUE(several.body.contains("\r\n\r\n" + content.substr(0, 10) + boundary));
  EXPECT_TRUE(several.body.contains("\r\n\r\n" + content.substr(200'000, 99'999) + boundary));
  EXPECT_TRUE(several.body.ends_with("\r\n\r\n" + content.substr(299'999) + boundary + "--\r\n"));
  client.send(get("/", "Range: bytes=300000-\r\n"));
  EXPECT_EQ(client.receive().status, 416);
}

// Rows: C-04
TEST(Body, a_file_shorter_than_its_record_is_never_a_whole_answer) {
  const auto content = pattern(2'000'000);
  for (const std::size_t truncated : {0U, 5'000U, 1'999'999U}) {
    Loopback server(file_handler(content.substr(0, truncated), content.size()));
    RawClient client(server);
    client.send(get("/"));
    const auto answer = client.receive();
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(client.ending(), Ending::reset);
    EXPECT_FALSE(server.observed(1)[0].complete);
  }
  Loopback server(file_handler("short", 100));
  RawClient client(server);
  client.send(get("/"));
  EXPECT_EQ(client.receive().status, 500);
}

TEST(Body, a_growing_file_is_sent_as_it_grows) {
  const auto growth = std::make_shared<Growth>();
  const auto content = pattern(1'000'000);
  growth->size = content.size();
  growth->grow(content.substr(0, 10));
  Loopback server(growth_handler(growth));
  RawClient client(server);
  client.send(get("/"));
  std::thread filler([&] {
    for (std::size_t at = 10; at < content.size(); at += 50'000) {
      growth->grow(content.substr(at, 50'000));
      std::this_thread::sleep_for(milliseconds(1));
    }
  });
  EXPECT_TRUE(client.receive().body == content);
  filler.join();
}

// What is there reaches the client while the rest is awaited: corked bytes would wait 200 ms.
TEST(Body, nothing_is_held_back_while_a_source_dawdles) {
  const auto growth = std::make_shared<Growth>();
  growth->size = 100;
  growth->grow(pattern(50));
  Loopback server(growth_handler(growth));
  RawClient client(server);
  const auto start = std::chrono::steady_clock::now();
  client.send(get("/"));
  EXPECT_TRUE(client.receive_some("\r\n\r\n" + pattern(50)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(150));
}

// Rows: C-01, C-09
TEST(Body, a_source_that_fails_midway_resets_the_connection) {
  const auto growth = std::make_shared<Growth>();
  growth->size = 100'000;
  growth->grow(pattern(99'999));
  Loopback server(growth_handler(growth));
  RawClient client(server);
  client.send(get("/"));
  EXPECT_TRUE(client.receive_some(pattern(99'999)));
  growth->fail();
  EXPECT_EQ(client.ending(), Ending::reset);
  const auto observed = server.observed(1);
  EXPECT_EQ(observed[0].bytes, 99'999U);
  EXPECT_FALSE(observed[0].complete);
  EXPECT_EQ(growth->readers, 0);
}

TEST(Body, a_source_that_fails_at_once_is_an_error_answer) {
  const auto growth = std::make_shared<Growth>();
  growth->size = 100;
  growth->fail();
  Loopback server(growth_handler(growth));
  RawClient client(server);
  client.send(get("/") + get("/other"));
  EXPECT_EQ(client.receive().status, 500);
  EXPECT_EQ(client.receive().body, "other");
}

// Rows: N-08
TEST(Body, a_client_that_leaves_releases_its_source) {
  for (const std::size_t sent : {0U, 10U}) {
    const auto growth = std::make_shared<Growth>();
    growth->size = 100;
    if (sent > 0) growth->grow(pattern(sent));
    Loopback server(growth_handler(growth), {.header = milliseconds(80)});
    RawClient client(server);
    client.send(get("/") + get("/pipelined"));
    EXPECT_TRUE(Loopback::wait_until([&] { return growth->readers == 1; }));
    if (sent > 0) EXPECT_TRUE(client.receive_some(pattern(sent)));
    std::this_thread::sleep_for(milliseconds(50));
    EXPECT_EQ(growth->readers, 1);
    client.close();
    EXPECT_TRUE(Loopback::wait_until([&] { return growth->readers == 0; }));
    EXPECT_TRUE(Loopback::wait_until([&] { return server.server().connections() == 0; }));
    const auto observed = server.observed(1);
    EXPECT_FALSE(observed[0].complete);
    EXPECT_EQ(observed[0].status, sent > 0 ? 200 : 499);
    EXPECT_EQ(observed[0].bytes, sent);
  }
}

// Rows: N-08
TEST(Body, clients_may_leave_anywhere) {
  const auto content = pattern(3'000'000);
  Loopback server(file_handler(content, content.size()), {}, 2);
  for (std::size_t i = 0; i < 100; ++i) {
    RawClient client(server);
    client.send(get("/"));
    if (i % 3 != 0) client.receive_some(content.substr(0, i * i * 20));
    client.close();
  }
  EXPECT_TRUE(Loopback::wait_until([&] { return server.server().connections() == 0; }));
  EXPECT_EQ(server.observed(100).size(), 100U);
  EXPECT_EQ(server.opened(), 0);
}

// Rows: R-02, N-09
TEST(Body, a_reader_that_takes_nothing_is_cut_off_a_slow_one_is_not) {
  const auto content = pattern(12'000'000);
  Loopback server(file_handler(content, content.size()), {.stall = milliseconds(600)});
  RawClient stalled(server, 4096);
  stalled.send(get("/"));
  RawClient slow(server, 4096);
  slow.send(get("/"));
  for (int i = 0; i < 40; ++i) {
    slow.receive_some("", 64 * 1024);
    std::this_thread::sleep_for(milliseconds(20));
  }
  const auto observed = server.observed(1);
  ASSERT_EQ(observed.size(), 1U);
  EXPECT_FALSE(observed[0].complete);
  EXPECT_TRUE(slow.receive().body == content);
  EXPECT_EQ(stalled.ending(), Ending::reset);
}

// Rows: R-02
TEST(Body, a_reader_below_the_least_rate_is_cut_off_though_it_never_stands_still) {
  const auto content = pattern(12'000'000);
  Loopback server(file_handler(content, content.size()),
                  {.least_bytes_per_second = 2'000'000, .rate_window = milliseconds(100)});
  RawClient quick(server);
  quick.send(get("/"));
  EXPECT_TRUE(quick.receive().body == content);
  RawClient slow(server, 4096);
  slow.send(get("/"));
  for (int i = 0; i < 50; ++i) {
    slow.receive_some("", 1000);
    std::this_thread::sleep_for(milliseconds(10));
  }
  const auto observed = server.observed(2);
  ASSERT_EQ(observed.size(), 2U);
  EXPECT_FALSE(observed[1].complete);
  EXPECT_EQ(slow.ending(), Ending::reset);
}

async::Task<Reply> serve_memory(std::shared_ptr<const std::string> content, const Request&) {
  Reply reply;
  reply.body.emplace_back("<");
  reply.body.emplace_back(SourcePart{async::memory_source(*content), 0, content->size()});
  reply.body.emplace_back(">");
  co_return reply;
}

TEST(Body, memory_between_texts) {
  for (const std::size_t size : {1U, 4'000'000U}) {
    const auto content = std::make_shared<const std::string>(pattern(size));
    Loopback server([content](const Request& request) { return serve_memory(content, request); });
    RawClient client(server);
    client.send(get("/") + get("/"));
    EXPECT_TRUE(client.receive().body == "<" + *content + ">");
    EXPECT_TRUE(client.receive().body == "<" + *content + ">");
  }
}

}  // namespace
}  // namespace entrepot::http::body_test
