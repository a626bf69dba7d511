#include <gtest/gtest.h>

#include "entrepot/oci/refusal.hpp"
#include "unit/upstream/lab.hpp"

namespace entrepot::upstream::blobs_test {
namespace {

using namespace std::chrono_literals;
using registry::FailureKind;

std::string make_content(std::size_t size) {
  std::string text;
  text.reserve(size + 16);
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ",";
  text.resize(size);
  return text;
}
const std::string content_bytes = make_content(1'000'000);
const oci::Digest digest = digest_of(content_bytes);
const std::string path = "/v2/library/app/blobs/";

async::Task<std::string> pull(registry::Source& source, registry::BlobStart start) {
  auto content = co_await source.blob_from(app(), digest, start);
  if (!content) co_return "failed: " + content.error().message;
  co_return co_await read_rest(std::move(*content), start.offset);
}

// What a reader that resumes at `start` gets.
std::string pulled(Lab& lab, registry::BlobStart start = {}) {
  try {
    return lab.run(pull(lab.remote(), start));
  } catch (const oci::Refusal& refusal) {
    return "refused: " + refusal.detail;
  }
}

TEST(Blobs, reads_from_the_start_to_the_end) {
  Lab lab;
  lab.server.on("GET " + path, test::content(content_bytes));
  EXPECT_EQ(pulled(lab), content_bytes);
  EXPECT_EQ(lab.server.requests().size(), 1U);
  EXPECT_EQ(lab.server.last().header("Range"), "-");
  EXPECT_EQ(lab.server.last().header("Accept-Encoding"), "identity");
}

// Rows: C-10
TEST(Blobs, asks_for_the_rest_only) {
  Lab lab;
  lab.server.on("GET", test::content(content_bytes));
  EXPECT_EQ(pulled(lab, {.offset = 600'000}), content_bytes.substr(600'000));
  ASSERT_EQ(lab.server.requests().size(), 1U);
  EXPECT_EQ(lab.server.last().header("Range"), "bytes=600000-");
}

// Rows: C-02
TEST(Blobs, resumes_where_it_broke_off) {
  for (const long cut : {0L, 1L, 500'000L, 999'999L}) {
    Lab lab;
    lab.server.on("GET", test::content(content_bytes, cut), 1);
    lab.server.on("GET", test::content(content_bytes));
    EXPECT_EQ(pulled(lab), content_bytes) << cut;
    ASSERT_EQ(lab.server.requests().size(), 2U);
    EXPECT_EQ(lab.server.last().header("Range"),
              cut == 0 ? "-" : "bytes=" + std::to_string(cut) + "-");
  }
}

// Rows: C-02
TEST(Blobs, goes_on_as_long_as_there_is_progress) {
  const auto large = make_content(12'000'000);
  for (const long cut : {600'000L, 1'500'000L}) {
    Lab lab;
    lab.server.on("GET", test::content(large, cut));
    EXPECT_EQ(pulled(lab), large);
    EXPECT_EQ(lab.server.requests().size(), 12'000'000U / static_cast<unsigned>(cut));
  }
}

// Rows: C-02, C-09
TEST(Blobs, a_trickle_comes_to_an_end) {
  Lab lab;
  lab.server.on("GET", test::content(content_bytes, 1000));
  EXPECT_TRUE(pulled(lab).starts_with("refused: upstream lab: "));
  EXPECT_EQ(lab.server.requests().size(), 4U);
  EXPECT_EQ(lab.server.last().header("Range"), "bytes=3000-");
}

// Rows: C-09
TEST(Blobs, a_trickle_with_silences_comes_to_an_end) {
  Lab lab;
  lab.options.transport.idle = 100ms;
  lab.server.on("GET", [](test::Exchange& exchange) {
    const auto range = exchange.request.header("Range");
    const auto from = range == "-" ? 0 : std::stoul(range.substr(6));
    exchange.send(
        "HTTP/1.1 206 Partial Content\r\nContent-Length: " + std::to_string(1'000'000 - from) +
        "\r\nContent-Range: bytes " + std::to_string(from) + "-999999/1000000\r\n\r\n" +
        content_bytes.substr(from, 1000));
    exchange.wait(60s);
    exchange.close();
  });
  EXPECT_TRUE(pulled(lab, {.offset = 1000, .size = 1'000'000}).starts_with("refused: "));
  EXPECT_LE(lab.server.requests().size(), 2U);
}

// Rows: C-02, C-03
TEST(Blobs, reading_over_the_same_bytes_is_no_progress) {
  Lab lab;
  const auto large = make_content(4'000'000);
  const auto cut = [&large](test::Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" +
                  large.substr(0, 2'000'000));
    exchange.close();
  };
  lab.server.on("GET", cut);
  EXPECT_TRUE(pulled(lab).starts_with("refused: "));
  EXPECT_EQ(lab.server.requests().size(), 4U);
}

// Rows: C-02, C-09
TEST(Blobs, gives_up_without_progress) {
  Lab lab;
  lab.options.retries = 2;
  lab.server.on("GET", test::content(content_bytes, 1000), 1);
  lab.server.on("GET", test::content(content_bytes, 0));
  EXPECT_TRUE(pulled(lab).starts_with("refused: upstream lab: ")) << pulled(lab);
}

// Rows: C-09
TEST(Blobs, a_silent_transfer_is_resumed_once) {
  Lab lab;
  lab.options.transport.idle = 100ms;
  const auto silent = [](test::Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" +
                  content_bytes.substr(0, 1000));
    exchange.wait(60s);
    exchange.close();
  };
  lab.server.on("GET", silent, 1);
  lab.server.on("GET", test::content(content_bytes));
  EXPECT_EQ(pulled(lab), content_bytes);
}

// Rows: C-02
TEST(Blobs, the_next_url_goes_on_where_the_first_gave_up) {
  Lab lab;
  test::FakeUpstream second;
  lab.options.urls.push_back(second.url());
  lab.server.on("GET", test::content(content_bytes, 300'000), 1);
  lab.server.on("GET", test::content(content_bytes, 0));
  second.on("GET", test::content(content_bytes));
  EXPECT_EQ(pulled(lab), content_bytes);
  EXPECT_EQ(second.last().header("Range"), "bytes=300000-");
}

// Rows: C-03
TEST(Blobs, a_server_that_ignores_ranges_is_read_over) {
  Lab lab;
  lab.server.on("GET", test::content(content_bytes, 700'000), 1);
  lab.server.on("GET", test::reply(200, content_bytes));
  EXPECT_EQ(pulled(lab), content_bytes);
  EXPECT_EQ(lab.server.requests().size(), 2U);
  Lab other;
  other.server.on("GET", test::reply(200, content_bytes));
  EXPECT_EQ(pulled(other, {.offset = 900'000}), content_bytes.substr(900'000));
  EXPECT_EQ(other.server.requests().size(), 1U);
}

struct ResumeCase {
  const char* name;
  test::Action resumed;
};

test::Action ranged(const std::string& range, std::size_t first, test::Fields more = {}) {
  more.emplace_back("Content-Range", range);
  return test::reply(206, content_bytes.substr(first), std::move(more));
}

// Rows: C-03
TEST(Blobs, a_resumption_with_something_else_is_refused) {
  const ResumeCase cases[] = {
      {"other start", ranged("bytes 400000-999999/1000000", 400'000)},
      {"no range", test::reply(206, content_bytes.substr(500'000))},
      {"shorter total", ranged("bytes 500000-899999/900000", 500'000)},
      {"longer than said", ranged("bytes 500000-500009/1000000", 500'000)},
      {"other tag", ranged("bytes 500000-999999/1000000", 500'000, {{"ETag", "\"two\""}})},
      {"other size", test::reply(200, content_bytes + "x")},
  };
  for (const auto& each : cases) {
    Lab lab;
    lab.server.on("GET", test::content(content_bytes, 500'000, {{"ETag", "\"one\""}}), 1);
    lab.server.on("GET", each.resumed);
    EXPECT_TRUE(pulled(lab).starts_with("refused: ")) << each.name;
  }
}

const ResumeCase strange_once[] = {
    {"other start", ranged("bytes 400000-999999/1000000", 400'000)},
    {"shorter total", ranged("bytes 500000-899999/900000", 500'000)},
    {"other tag", ranged("bytes 500000-999999/1000000", 500'000, {{"ETag", "\"two\""}})},
    {"other size", test::reply(200, content_bytes + "x")},
    {"throttled", test::reply(429, "", {{"Retry-After", "1"}})},
    {"denied", test::reply(403, "")},
};

// Rows: C-03
TEST(Blobs, a_strange_resumption_is_left_for_the_next_url) {
  for (const auto& each : strange_once) {
    Lab lab;
    test::FakeUpstream second;
    lab.options.urls.push_back(second.url());
    lab.server.on("GET", test::content(content_bytes, 500'000, {{"ETag", "\"one\""}}), 1);
    lab.server.on("GET", each.resumed);
    second.on("GET", test::content(content_bytes, -1, {{"ETag", "\"second\""}}));
    EXPECT_EQ(pulled(lab), content_bytes) << each.name;
    EXPECT_EQ(lab.server.requests().size(), 2U) << each.name;
    EXPECT_EQ(second.last().header("Range"), "bytes=500000-") << each.name;
  }
}

// Rows: C-03
TEST(Blobs, a_strange_resumption_is_tried_again_where_there_is_no_other_url) {
  for (const auto& each : strange_once) {
    Lab lab;
    lab.server.on("GET", test::content(content_bytes, 500'000, {{"ETag", "\"one\""}}), 1);
    lab.server.on("GET", each.resumed, 1);
    lab.server.on("GET", test::content(content_bytes, -1, {{"ETag", "\"one\""}}));
    EXPECT_EQ(pulled(lab), content_bytes) << each.name;
    EXPECT_EQ(lab.server.requests().size(), 3U) << each.name;
  }
}

// Rows: C-03, N-03
TEST(Blobs, a_resumption_refused_for_long_ends_the_transfer) {
  for (const auto& refusal :
       {test::reply(429, "", {{"Retry-After", "60"}}), test::reply(403, "")}) {
    Lab lab;
    lab.server.on("GET", test::content(content_bytes, 500'000), 1);
    lab.server.on("GET", refusal);
    const auto text = pulled(lab);
    EXPECT_TRUE(text.starts_with("refused: upstream lab: ")) << text.substr(0, 100);
    EXPECT_EQ(text.find("upstream lab: upstream lab"), std::string::npos) << text;
    EXPECT_LE(lab.server.requests().size(), 3U);
  }
}

// Rows: C-03
TEST(Blobs, a_resumption_without_total_is_fine) {
  Lab lab;
  lab.server.on("GET", test::content(content_bytes, 500'000), 1);
  lab.server.on("GET", ranged("bytes 500000-999999/*", 500'000));
  EXPECT_EQ(pulled(lab), content_bytes);
}

test::Action without_length(std::string body) {
  return [body = std::move(body)](test::Exchange& exchange) {
    exchange.send(test::head_text(200, {{"Connection", "close"}}));
    exchange.send(body);
    exchange.close();
  };
}

// Rows: C-02
TEST(Blobs, an_upstream_that_names_no_length_needs_a_size_from_elsewhere) {
  {
    Lab lab;  // the reader knows
    lab.server.on("GET", without_length(content_bytes));
    EXPECT_EQ(pulled(lab, {.size = content_bytes.size()}), content_bytes);
    EXPECT_EQ(lab.server.requests().size(), 1U);
  }
  {
    Lab lab;  // HEAD knows
    lab.server.on("GET", without_length(content_bytes));
    lab.server.on("HEAD", test::reply(200, content_bytes));
    EXPECT_EQ(pulled(lab), content_bytes);
  }
  {
    Lab lab;  // nobody knows: held in memory
    lab.server.on("GET", without_length(content_bytes));
    EXPECT_EQ(pulled(lab), content_bytes);
  }
  {
    Lab lab;  // ... unless it is too large for that
    lab.server.on("GET", without_length(std::string(17 << 20, 'x')));
    EXPECT_TRUE(pulled(lab).starts_with("failed: upstream lab: names no length"));
  }
  {
    Lab lab;  // a body that ends early is resumed
    lab.server.on("GET", without_length(content_bytes.substr(0, 1000)), 1);
    lab.server.on("GET", test::content(content_bytes));
    EXPECT_EQ(pulled(lab, {.size = content_bytes.size()}), content_bytes);
  }
  {
    Lab lab;  // one that is too long is not
    lab.server.on("GET", without_length(content_bytes));
    EXPECT_TRUE(pulled(lab, {.size = 5}).starts_with("refused: "));
  }
}

// Rows: C-02
TEST(Blobs, a_size_that_contradicts_the_manifest_is_refused) {
  Lab lab;
  lab.server.on("GET", test::content(content_bytes));
  EXPECT_TRUE(pulled(lab, {.size = 5}).starts_with("failed: "));
}

// Rows: R-08
TEST(Blobs, an_encoded_blob_is_refused) {
  Lab lab;
  lab.server.on("GET", test::content(content_bytes, -1, {{"Content-Encoding", "gzip"}}));
  EXPECT_TRUE(pulled(lab).starts_with("failed: "));
}

TEST(Blobs, refusals_show_before_any_byte) {
  Lab lab;
  EXPECT_EQ(lab.run(lab.remote().blob(app(), digest)).error().kind, FailureKind::absent);
  lab.server.on("GET", test::reply(416, "", {{"Content-Range", "bytes */10"}}));
  EXPECT_EQ(lab.run(lab.remote().blob_from(app(), digest, {.offset = 10})).error().kind,
            FailureKind::broken);
}

// Rows: U-03
TEST(Blobs, a_redirect_keeps_the_range) {
  Lab lab;
  test::FakeUpstream store;
  lab.options.private_network = PrivateNetwork::allowed;
  lab.server.on("GET", test::reply(307, "", {{"Location", store.url() + "/signed"}}));
  store.on("GET /signed", test::content(content_bytes));
  EXPECT_EQ(pulled(lab, {.offset = 10}), content_bytes.substr(10));
  EXPECT_EQ(store.last().header("Range"), "bytes=10-");
}

TEST(Blobs, stat_asks_by_head) {
  Lab lab;
  lab.server.on("HEAD", test::reply(200, content_bytes));
  const auto size = lab.run(lab.remote().stat(app(), digest));
  ASSERT_TRUE(size);
  EXPECT_EQ(size->size, content_bytes.size());
  EXPECT_EQ(lab.server.requests().size(), 1U);
}

TEST(Blobs, stat_asks_for_the_first_byte_where_head_does_not_tell) {
  for (const auto& head : {test::reply(405, ""), without_length("")}) {
    Lab lab;
    lab.server.on("HEAD", head);
    lab.server.on("GET", test::reply(206, "0", {{"Content-Range", "bytes 0-0/1000000"}}));
    const auto size = lab.run(lab.remote().stat(app(), digest));
    ASSERT_TRUE(size) << size.error().message;
    EXPECT_EQ(size->size, 1'000'000U);
    EXPECT_EQ(lab.server.last().header("Range"), "bytes=0-0");
  }
}

async::Task<std::string> read_here_and_there(registry::Source& source) {
  auto content = co_await source.blob(app(), digest);
  std::string seen;
  for (const std::uint64_t offset : {0U, 10U, 900'000U, 5U, 100U}) {
    const auto chunk = co_await content->bytes->read_at(offset, 5);
    seen += base::as_text(std::get<async::MemorySlice>(chunk).bytes);
  }
  co_return seen;
}

TEST(Blobs, reads_at_any_offset) {
  Lab lab;
  lab.server.on("GET", test::content(content_bytes));
  std::string expected;
  for (const std::size_t offset : {0U, 10U, 900'000U, 5U, 100U})
    expected += content_bytes.substr(offset, 5);
  EXPECT_EQ(lab.run(read_here_and_there(lab.remote())), expected);
  EXPECT_EQ(lab.server.requests().size(), 3U);  // 0 and 10, 900000, 5 and 100
}

async::Task<> open_and_hold(registry::Source& source, std::vector<registry::BlobContent>& held) {
  auto content = co_await source.blob(app(), digest);
  if (content) held.push_back(std::move(*content));
}

TEST(Blobs, no_more_transfers_at_once_than_allowed) {
  Lab lab;
  lab.options.concurrency = 3;
  lab.server.on("GET", test::content(std::string(20 << 20, 'x')));
  std::vector<registry::BlobContent> held;
  for (int i = 0; i < 5; ++i)
    async::spawn(lab.context.get_executor(), open_and_hold(lab.remote(), held), "test");
  const auto run_until = [&](std::size_t wanted) {
    for (int i = 0; i < 100 && held.size() < wanted; ++i) {
      lab.context.restart();
      lab.context.run_for(10ms);
    }
  };
  run_until(3);
  run_until(4);  // in vain
  EXPECT_EQ(held.size(), 3U);
  EXPECT_EQ(lab.server.requests().size(), 3U);
  held.clear();
  run_until(2);
  EXPECT_EQ(held.size(), 2U);
}

TEST(Blobs, who_has_no_patience_is_told_to_come_again) {
  Lab lab;
  lab.options.concurrency = 1;
  lab.server.on("GET", test::content(std::string(20 << 20, 'x')));
  const auto first = lab.run(lab.remote().blob(app(), digest));
  ASSERT_TRUE(first);
  const auto second = lab.run(lab.remote().blob_from(app(), digest, {.patience = 20ms}));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, registry::FailureKind::busy);
  EXPECT_TRUE(second.error().retry_after);
}

TEST(Blobs, asking_for_the_first_byte_does_not_wait_for_transfers) {
  Lab lab;
  lab.options.concurrency = 1;
  lab.server.on("HEAD", test::reply(405, ""));
  lab.server.on("GET", test::content(std::string(20 << 20, 'x')), 1);
  lab.server.on("GET", test::reply(206, "0", {{"Content-Range", "bytes 0-0/1000000"}}));
  const auto transfer = lab.run(lab.remote().blob(app(), digest));
  ASSERT_TRUE(transfer);
  const auto size = lab.run(lab.remote().stat(app(), digest));
  ASSERT_TRUE(size) << size.error().message;
  EXPECT_EQ(size->size, 1'000'000U);
}

}  // namespace
}  // namespace entrepot::upstream::blobs_test
