// GET /api/v1/history and POST /api/v1/rollback: what a tag pointed to, and back to it.
#include <boost/json/array.hpp>

#include "api/actor.hpp"
#include "api/call.hpp"
#include "api/json.hpp"
#include "api/operations.hpp"
#include "api/replies.hpp"
#include "entrepot/index/catalog.hpp"

namespace entrepot::api {
namespace {

namespace json = boost::json;

constexpr std::uint64_t most_changes = 1000;

std::string_view word(index::Cause cause) {
  switch (cause) {
    case index::Cause::push:
      return "push";
    case index::Cause::mirror:
      return "mirror";
    case index::Cause::removed_upstream:
      return "removed upstream";
    case index::Cause::deletion:
      return "deletion";
    case index::Cause::rollback:
      return "rollback";
    case index::Cause::adoption:
      return "adoption";
    case index::Cause::replication:
      return "replication";
    case index::Cause::superseded:
      return "superseded";
  }
  return "push";
}

json::value digest_or_null(const std::optional<oci::Digest>& digest) {
  if (!digest) return nullptr;
  return json::string(digest->text());
}

json::object describe(const index::View& view, const oci::RepositoryName& repository,
                      const index::TagChange& change) {
  json::object entry;
  entry["sequence"] = change.sequence;
  entry["time"] = timestamp(change.time);
  entry["cause"] = word(change.cause);
  entry["who"] = change.who;
  entry["from"] = digest_or_null(change.from);
  entry["to"] = digest_or_null(change.to);
  entry["held"] = change.to && index::linked(view, repository, *change.to);
  return entry;
}

// The digest a tag pointed to before the one of now.
async::Task<oci::Digest> previous(const Call& call, const oci::Tag& tag) {
  const auto before = co_await call.house.reading.index.read(
      [&](const index::View& view) { return index::tag_history(view, call.repository(), tag, 1); });
  if (!before.empty()) co_return before.front();
  throw oci::Refusal(oci::ErrorCode::manifest_unknown, "this tag pointed to nothing before");
}

async::Task<oci::Digest> requested_digest(const Call& call, const oci::Tag& tag) {
  const auto text = call.request.target.query_value("digest");
  if (text) co_return required_digest(*text);
  co_return co_await previous(call, tag);
}

}  // namespace

async::Task<http::Reply> answer_history(Call call) {
  const auto tag = required_tag(call.request);
  const auto before = number_parameter(call.request, "before", 0);
  const auto limit =
      std::clamp<std::uint64_t>(number_parameter(call.request, "n", 100), 1, most_changes);
  json::object body;
  body["repository"] = call.repository().text();
  body["tag"] = tag.text();
  co_await call.house.reading.index.read([&](const index::View& view) {
    json::array list;
    const auto changes = index::tag_changes(view, call.repository(), tag, before, limit);
    for (const auto& change : changes) list.push_back(describe(view, call.repository(), change));
    body["changes"] = std::move(list);
    if (changes.size() == limit) body["next"] = changes.back().sequence;
  });
  co_return fresh_json(200, body);
}

async::Task<http::Reply> roll_back(Call call) {
  const auto tag = required_tag(call.request);
  if (tag_move(call) == registry::TagMove::refused) {
    throw oci::Refusal(oci::ErrorCode::denied, "the tag is there, and may only be created");
  }
  const auto digest = co_await requested_digest(call, tag);
  co_await call.house.writing.writer.rollback(call.repository(), tag, digest, actor_of(call));
  const auto text = digest.text();
  audit(call, {.action = "roll back",
               .repository = call.repository().text(),
               .tag = tag.text(),
               .digest = text});
  json::object body;
  body["repository"] = call.repository().text();
  body["tag"] = tag.text();
  body["digest"] = text;
  co_return fresh_json(200, body);
}

}  // namespace entrepot::api
