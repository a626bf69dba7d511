// A RemoteFeed keeps what every Feed promises, when a site answers in the words of its API.
#include "entrepot/upstream/feed.hpp"
#include "contract/feed_contract.hpp"
#include "entrepot/http/target.hpp"
#include "entrepot/registry/feed_words.hpp"
#include "entrepot/registry/local_feed.hpp"
#include "support/memory_index.hpp"
#include "unit/upstream/lab.hpp"

namespace entrepot::test::feed_test {
namespace {

// What a site has to tell.
class Site {
 public:
  index::Index& index() { return index_; }

  void answer(Exchange& exchange) {
    const auto target = http::parse_target(exchange.request.target);
    const auto text = target ? told(*target, exchange.request.body) : std::nullopt;
    if (!text) return reply(400, "")(exchange);
    reply(200, *text, {{"Content-Type", "application/json"}})(exchange);
  }

 private:
  template <class T>
  static std::optional<std::string> words(registry::Answer<T> answer) {
    return answer ? std::optional(registry::to_json(*answer)) : std::nullopt;
  }
  std::optional<std::string> told(const http::Target& target, const std::string& body) {
    if (target.path == "/api/v1/feed") {
      auto question = registry::read_feed_question(target.query);
      if (!question) return std::nullopt;
      return words(run_task(
          feed_.changes(question->scope, question->since, question->limit, question->wait)));
    }
    if (target.path == "/api/v1/latest") {
      auto question = registry::read_latest_question(body);
      if (!question) return std::nullopt;
      return words(run_task(feed_.latest(question->scope, question->tags)));
    }
    auto question = registry::read_nodes_question(target.query);
    if (!question) return std::nullopt;
    if (target.path == "/api/v1/items")
      return words(run_task(feed_.items(question->scope, question->prefixes)));
    return words(run_task(feed_.summaries(question->scope, question->prefixes)));
  }

  async::BlockingPool pool_{1};
  MemoryIndex index_;
  registry::LocalFeed feed_{{index_, pool_, base::system_clock()}};
};

class RemoteFeedStand final : public FeedStand {
 public:
  RemoteFeedStand() {
    lab_.server.on("", [this](Exchange& exchange) { site_.answer(exchange); });
  }
  registry::Feed& feed() override { return lab_.feed(); }
  index::Index& index() override { return site_.index(); }

 private:
  Site site_;
  upstream::Lab lab_;
};

INSTANTIATE_TEST_SUITE_P(Remote, FeedContract, testing::Values([] {
                           return std::unique_ptr<FeedStand>(std::make_unique<RemoteFeedStand>());
                         }));

async::Task<> poll(registry::Feed& feed) {
  co_await feed.changes({}, 0, 10, std::chrono::seconds(30));
}

class RemoteFeeds : public testing::Test, public upstream::Lab {
 protected:
  registry::FailureKind kind_of(Action answer) {
    server.on("", std::move(answer), 1);
    const auto page = run(feed().changes({}, 0, 10, std::chrono::seconds(0)));
    EXPECT_FALSE(page);
    return page ? registry::FailureKind::busy : page.error().kind;
  }
};

TEST_F(RemoteFeeds, who_is_no_site_or_tells_us_nothing_is_known_by_its_answer) {
  using enum registry::FailureKind;
  EXPECT_EQ(kind_of(reply(404, "")), absent);
  EXPECT_EQ(kind_of(reply(401, "")), denied);
  EXPECT_EQ(kind_of(reply(403, "")), denied);
  EXPECT_EQ(kind_of(reply(200, "<html>", {{"Content-Type", "text/html"}})), broken);
  EXPECT_EQ(kind_of(reply(200, "[]", {{"Content-Type", "application/json"}})), broken);
}

// Rows: N-01
TEST_F(RemoteFeeds, a_poll_may_wait_longer_than_other_questions) {
  options.transport.first_byte = std::chrono::milliseconds(300);
  server.on("wait=1", [](Exchange& exchange) {
    exchange.wait(std::chrono::seconds(1));
    reply(404, "")(exchange);
  });
  const auto page = run(feed().changes({}, 0, 10, std::chrono::seconds(1)));
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, registry::FailureKind::absent);
}

TEST_F(RemoteFeeds, a_poll_of_less_than_a_second_waits_all_the_same) {
  server.on("wait=1", reply(404, ""));
  server.on("", reply(500, ""));
  const auto page = run(feed().changes({}, 0, 10, std::chrono::milliseconds(700)));
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, registry::FailureKind::absent);
}

TEST_F(RemoteFeeds, a_poll_takes_nobody_elses_place) {
  options.concurrency = 1;
  server.on("/feed", hang());
  async::asio::cancellation_signal stop;
  async::spawn_cancellable(context.get_executor(), poll(feed()), "poll", stop.slot());
  server.on("/v2/", upstream::manifest_reply("{}"));
  const auto found = run(place().manifest(upstream::app(), upstream::at("v1")));
  EXPECT_TRUE(found) << found.error().message;
  stop.emit(async::asio::cancellation_type::terminal);
  context.restart();
  context.run();
}

}  // namespace
}  // namespace entrepot::test::feed_test
