#include "upstream/listings.hpp"

#include <algorithm>
#include <iterator>

#include "entrepot/http/target.hpp"
#include "entrepot/oci/manifest.hpp"
#include "upstream/list_text.hpp"
#include "upstream/manifests.hpp"
#include "upstream/referrers_tag.hpp"

namespace entrepot::upstream {
namespace {

using registry::Answer;
using registry::FailureKind;
using registry::ReferrerPage;
using registry::TagPage;

constexpr std::size_t most_list_bytes = 8 * 1024 * 1024;
constexpr int most_pages = 200;
constexpr std::string_view index_type = "application/vnd.oci.image.index.v1+json";

// What comes after the item `is_after` names, in the upstream's own order: one that ignores "last"
// answers from the start.
template <class Item, class IsAfter>
void drop_through(std::vector<Item>& items, IsAfter is_after) {
  const auto found = std::ranges::find_if(items, is_after);
  if (found != items.end()) items.erase(items.begin(), std::next(found));
}

template <class Item>
bool cut(std::vector<Item>& items, std::size_t limit) {
  if (items.size() <= limit) return false;
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(limit), items.end());
  return true;
}

std::optional<std::string> doubt_index(const http::Response& response) {
  const auto type = response.headers().get("Content-Type").value_or("");
  if (type.starts_with(index_type)) return std::nullopt;
  return "answers a question for referrers with the media type '" +
         std::string(type.substr(0, 100)) + "'";
}

bool matches(const index::Referrer& referrer, const std::string& artifact_type) {
  return artifact_type.empty() || referrer.artifact_type == artifact_type;
}

ReferrerPage make_page(std::vector<index::Referrer> all, const std::string& artifact_type,
                       const registry::Page& page) {
  drop_through(all, [&](const auto& each) { return each.descriptor.digest.text() == page.after; });
  std::erase_if(all, [&](const auto& each) { return !matches(each, artifact_type); });
  const bool more = cut(all, page.limit);
  return {std::move(all), more, !artifact_type.empty()};
}

using Referrers = std::vector<index::Referrer>;

async::Task<Answer<Referrers>> by_api(std::shared_ptr<Asker> asker, oci::RepositoryName name,
                                      oci::Digest subject, std::string artifact_type) {
  Question asked{
      .kind = "referrers", .repository = name.text(), .path = "/referrers/" + subject.text()};
  if (!artifact_type.empty()) asked.query = "artifactType=" + http::encode_query(artifact_type);
  asked.accept = index_type;
  asked.most = most_list_bytes;
  asked.doubt = &doubt_index;
  Referrers all;
  for (int pages = 0; pages < most_pages; ++pages) {
    const auto held = co_await asker->ask(asked);
    if (!held) co_return std::unexpected(held.error());
    auto some = parse_referrer_list(held->reply.text);
    if (!some)
      co_return std::unexpected(
          asker->named({FailureKind::broken, "sends a list of referrers that cannot be read"}));
    std::ranges::move(*some, std::back_inserter(all));
    auto next = next_query(held->reply.response->headers());
    if (!next || *next == asked.query) break;
    asked.query = std::move(*next);
  }
  co_return std::move(all);
}

async::Task<Answer<Referrers>> by_tag(std::shared_ptr<Asker> asker, oci::RepositoryName name,
                                      oci::Digest subject) {
  const auto manifest =
      co_await fetch_manifest(asker, std::move(name), oci::Reference(referrers_tag(subject)));
  if (!manifest) co_return std::unexpected(manifest.error());
  auto all = parse_referrer_list(manifest->bytes);
  if (!all || manifest->media_type != index_type)
    co_return std::unexpected(
        asker->named({FailureKind::absent, "the tag of the referrers is no index"}));
  co_return std::move(*all);
}

}  // namespace

async::Task<Answer<TagPage>> list_tags(std::shared_ptr<Asker> asker, oci::RepositoryName name,
                                       registry::Page page) {
  Question asked{.kind = "tags", .repository = name.text(), .path = "/tags/list"};
  asked.query = "n=" + std::to_string(page.limit);
  if (!page.after.empty()) asked.query += "&last=" + http::encode_query(page.after);
  asked.accept = "application/json";
  asked.most = most_list_bytes;
  TagPage result;
  for (int pages = 0; pages < most_pages; ++pages) {
    const auto held = co_await asker->ask(asked);
    if (!held) co_return std::unexpected(held.error());
    auto some = parse_tag_list(held->reply.text);
    if (!some)
      co_return std::unexpected(
          asker->named({FailureKind::broken, "sends a list of tags that cannot be read"}));
    std::ranges::move(*some, std::back_inserter(result.tags));
    drop_through(result.tags, [&](const oci::Tag& tag) { return tag.text() == page.after; });
    auto next = next_query(held->reply.response->headers());
    const bool last = !next || *next == asked.query;
    result.more = cut(result.tags, page.limit) || (!last && result.tags.size() == page.limit);
    if (last || result.more) break;
    asked.query = std::move(*next);
  }
  co_return std::move(result);
}

async::Task<Answer<ReferrerPage>> list_referrers(std::shared_ptr<Asker> asker,
                                                 oci::RepositoryName name, oci::Digest subject,
                                                 std::string artifact_type, registry::Page page) {
  auto all = co_await by_api(asker, name, subject, artifact_type);
  // Absent, or something that is no answer to the question: an older registry.
  if (!all && (all.error().kind == FailureKind::absent || all.error().kind == FailureKind::broken))
    all = co_await by_tag(asker, name, subject);
  if (!all) co_return std::unexpected(std::move(all.error()));
  co_return make_page(std::move(*all), artifact_type, page);
}

}  // namespace entrepot::upstream
