// GET /api/v1/feed, /summaries and /items, POST /api/v1/latest: what a peer asks to stay in step
// (registry/feed_words.hpp). Each caller is told of the repositories he may pull, as in the
// catalog.
#include "entrepot/registry/feed_words.hpp"

#include "api/call.hpp"
#include "api/paging.hpp"
#include "entrepot/oci/refusal.hpp"
#include "entrepot/registry/local_feed.hpp"

namespace entrepot::api {
namespace {

constexpr std::size_t most_question_bytes = std::size_t{1} << 20;

template <class Question>
Question required(std::expected<Question, std::string> question) {
  if (!question) throw oci::Refusal(oci::ErrorCode::bad_request, question.error());
  return std::move(*question);
}

template <class T>
T answered(registry::Answer<T> answer) {
  if (answer) return std::move(*answer);
  if (answer.error().kind == registry::FailureKind::denied) {
    throw oci::Refusal(oci::ErrorCode::bad_request, answer.error().message);
  }
  registry::refuse(answer.error(), registry::Subject::repository);
}

// The call outlives the feed.
registry::LocalFeed feed_for(const Call& call) {
  return call.house.reading.feed.seen_by([&call](const oci::RepositoryName& name) {
    return call.house.reading.gate.may_see(call.grant.principal(), name);
  });
}

http::Reply fresh(std::string text) {
  auto reply = json_reply("application/json", std::move(text));
  reply.headers.set("Cache-Control", "no-store");
  return reply;
}

}  // namespace

async::Task<http::Reply> answer_feed(Call call) {
  auto question = required(registry::read_feed_question(call.request.target.query));
  auto feed = feed_for(call);
  const auto page = co_await feed.changes(std::move(question.scope), question.since, question.limit,
                                          question.wait);
  co_return fresh(registry::to_json(answered(page)));
}

async::Task<http::Reply> answer_summaries(Call call) {
  auto question = required(registry::read_nodes_question(call.request.target.query));
  auto feed = feed_for(call);
  const auto summaries =
      co_await feed.summaries(std::move(question.scope), std::move(question.prefixes));
  co_return fresh(registry::to_json(answered(summaries)));
}

async::Task<http::Reply> answer_items(Call call) {
  auto question = required(registry::read_nodes_question(call.request.target.query));
  auto feed = feed_for(call);
  const auto items = co_await feed.items(std::move(question.scope), std::move(question.prefixes));
  co_return fresh(registry::to_json(answered(items)));
}

async::Task<http::Reply> answer_latest(Call call) {
  const auto text = co_await http::read_all(*call.request.body, most_question_bytes);
  if (!text) throw oci::Refusal(oci::ErrorCode::bad_request, "more than 1 MiB");
  auto question = required(registry::read_latest_question(*text));
  auto feed = feed_for(call);
  const auto changes = co_await feed.latest(std::move(question.scope), std::move(question.tags));
  co_return fresh(registry::to_json(answered(changes)));
}

}  // namespace entrepot::api
