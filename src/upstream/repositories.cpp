#include "upstream/repositories.hpp"

#include <algorithm>

#include "entrepot/http/target.hpp"
#include "upstream/list_text.hpp"

namespace entrepot::upstream {
namespace {

using registry::Answer;
using registry::FailureKind;
using registry::RepositoryPage;

constexpr std::size_t most_list_bytes = 8 * 1024 * 1024;
constexpr std::size_t most_asked = 1000;  // more is an error at many
// What goes on where the upstream's own link led; no repository's name begins so.
constexpr char by_link = '?';

std::size_t asked_count(const registry::Page& page) {
  return std::clamp<std::size_t>(page.limit, 1, most_asked);
}

std::string query_for(const registry::Page& page) {
  if (page.after.starts_with(by_link)) return page.after.substr(1);
  auto query = "n=" + std::to_string(asked_count(page));
  if (!page.after.empty()) query += "&last=" + http::encode_query(page.after);
  return query;
}

// One that ignores "last" answers from the start.
void drop_through(std::vector<oci::RepositoryName>& names, const std::string& last) {
  const auto found = std::ranges::find(names, last, &oci::RepositoryName::text);
  if (found != names.end()) names.erase(names.begin(), std::next(found));
}

}  // namespace

async::Task<Answer<RepositoryPage>> list_repositories(std::shared_ptr<Asker> asker,
                                                      registry::Page page) {
  Question asked{.kind = "catalog", .path = "_catalog", .query = query_for(page)};
  asked.right = Right::list;
  asked.accept = "application/json";
  asked.most = most_list_bytes;
  asked.answers = {400, 405, 501};
  const auto query = asked.query;
  const auto held = co_await asker->ask(std::move(asked));
  if (!held) co_return std::unexpected(held.error());
  if (held->reply.response->status() != 200)
    co_return std::unexpected(asker->named({FailureKind::absent, "lists no repositories"}));
  auto list = parse_repository_list(held->reply.text);
  if (!list)
    co_return std::unexpected(
        asker->named({FailureKind::broken, "sends a list of repositories that cannot be read"}));
  RepositoryPage result{std::move(list->names), {}};
  drop_through(result.repositories, page.after);
  const auto next = next_query(held->reply.response->headers());
  if (next && *next != query)
    result.next = by_link + *next;
  else if (!next && list->entries == asked_count(page) && !result.repositories.empty())
    result.next = result.repositories.back().text();  // one that links to no page, perhaps
  co_return result;
}

}  // namespace entrepot::upstream
