#include "upstream/remote_feed.hpp"

#include "entrepot/http/target.hpp"
#include "entrepot/registry/feed_words.hpp"
#include "entrepot/upstream/feed.hpp"
#include "upstream/remote_place.hpp"

namespace entrepot::upstream {
namespace {

using registry::Answer;
using registry::FailureKind;
using registry::FeedPage;
using std::chrono::milliseconds;

// Above the time a poll waits: for a site that is slow to answer, and a slow line.
constexpr std::chrono::seconds beyond_the_wait(20);

std::string query_text(const registry::FeedQuery& query) {
  std::string text;
  for (const auto& [name, value] : query) {
    if (!text.empty()) text += '&';
    text += name + "=" + http::encode_query(value);
  }
  return text;
}

// Something else under that path is no entrepot.
std::optional<std::string> doubt_json(const http::Response& response) {
  const auto type = response.headers().get("Content-Type").value_or("");
  if (type.starts_with("application/json")) return std::nullopt;
  return "answers a site's question with the media type '" + std::string(type.substr(0, 100)) + "'";
}

Question question(std::string path, std::string query) {
  Question asked{
      .kind = "feed", .root = "/api/v1/", .path = std::move(path), .query = std::move(query)};
  asked.right = Right::list;
  asked.accept = "application/json";
  asked.most = registry::most_feed_bytes;
  asked.doubt = &doubt_json;
  return asked;
}

template <class T>
async::Task<Answer<T>> ask(std::shared_ptr<Asker> asker, Question asked,
                           std::optional<T> (*read)(std::string_view)) {
  const auto held = co_await asker->ask(std::move(asked));
  if (!held) co_return std::unexpected(held.error());
  auto answer = read(held->reply.text);
  if (answer) co_return std::move(*answer);
  co_return std::unexpected(
      asker->named({FailureKind::broken, "sends an answer for sites that cannot be read"}));
}

}  // namespace

async::Task<Answer<FeedPage>> RemoteFeed::changes(registry::FeedScope scope, std::uint64_t since,
                                                  std::size_t limit, milliseconds longest) {
  registry::FeedQuestion wish{std::move(scope), since, limit};
  // Rounded up: what is left of a second would be no wait at all, asked for again and again.
  wish.wait = std::chrono::ceil<std::chrono::seconds>(longest);
  auto asked = question("feed", query_text(registry::to_query(wish)));
  asked.queue = Queue::polls;
  asked.first_byte = wish.wait + beyond_the_wait;
  return ask(asker_, std::move(asked), &registry::read_feed_page);
}

async::Task<Answer<std::vector<registry::Summary>>> RemoteFeed::summaries(
    registry::FeedScope scope, std::vector<std::string> prefixes) {
  const registry::NodesQuestion wish{std::move(scope), std::move(prefixes)};
  return ask(asker_, question("summaries", query_text(registry::to_query(wish))),
             &registry::read_summaries);
}

async::Task<Answer<std::vector<registry::SummaryItem>>> RemoteFeed::items(
    registry::FeedScope scope, std::vector<std::string> prefixes) {
  const registry::NodesQuestion wish{std::move(scope), std::move(prefixes)};
  return ask(asker_, question("items", query_text(registry::to_query(wish))),
             &registry::read_items);
}

async::Task<Answer<std::vector<index::Change>>> RemoteFeed::latest(
    registry::FeedScope scope, std::vector<registry::TagName> tags) {
  auto asked = question("latest", {});
  asked.method = "POST";
  asked.sending = std::make_shared<const Sending>(
      "application/json", registry::to_json({std::move(scope), std::move(tags)}));
  return ask(asker_, std::move(asked), &registry::read_changes);
}

std::unique_ptr<registry::Feed> connect_feed(RemoteOptions options, http::Client& client,
                                             async::BlockingPool& pool, const base::Clock& clock,
                                             base::Metrics& metrics) {
  return std::make_unique<RemoteFeed>(
      std::make_shared<Asker>(options, client, pool, clock, metrics));
}

Peer connect_peer(RemoteOptions options, http::Client& client, async::BlockingPool& pool,
                  const base::Clock& clock, base::Metrics& metrics) {
  auto asker = std::make_shared<Asker>(options, client, pool, clock, metrics);
  return {std::make_unique<RemotePlace>(asker, options.uploads, clock),
          std::make_unique<RemoteFeed>(asker)};
}

}  // namespace entrepot::upstream
