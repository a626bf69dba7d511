// feed_words.hpp: answers.
#include "entrepot/registry/feed_words.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "registry/feed_json.hpp"
#include "registry/summary_tree.hpp"

namespace entrepot::registry {
namespace {

namespace json = boost::json;

// The site that most rows need not name.
std::string_view first_site(const auto& rows) {
  return rows.empty() ? std::string_view() : std::string_view(rows.front().version.site);
}

json::array rows_of(const std::vector<index::Change>& changes, std::string_view site) {
  json::array rows;
  rows.reserve(changes.size());
  for (const auto& change : changes) rows.push_back(row_of(change, site));
  return rows;
}

std::string digits_of(const std::array<std::uint64_t, 2>& sum) {
  std::string digits;
  for (const auto half : sum) {
    for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[half >> shift & 0xf];
  }
  return digits;
}

std::optional<std::array<std::uint64_t, 2>> sum_of(std::string_view digits) {
  if (digits.size() != 32) return std::nullopt;
  std::array<std::uint64_t, 2> sum{};
  for (std::size_t i = 0; i < sum.size(); ++i) {
    const char* const begin = digits.data() + 16 * i;
    const auto read = std::from_chars(begin, begin + 16, sum[i], 16);
    if (read.ptr != begin + 16) return std::nullopt;
  }
  return sum;
}

json::value value_of(const SummaryNode& node) {
  if (node.items == 0) return 0;
  return json::array{node.items, digits_of(node.sum)};
}

// 0, or [items, digits].
std::optional<SummaryNode> node_in(const json::value& value) {
  if (const auto* zero = value.if_int64())
    return *zero == 0 ? std::optional(SummaryNode{}) : std::nullopt;
  const auto* pair = value.if_array();
  if (!pair || pair->size() != 2 || !(*pair)[0].is_int64() || !(*pair)[1].is_string()) {
    return std::nullopt;
  }
  const auto items = (*pair)[0].get_int64();
  const auto sum = sum_of((*pair)[1].get_string());
  if (items <= 0 || !sum) return std::nullopt;
  return SummaryNode{static_cast<std::uint64_t>(items), *sum};
}

std::optional<Summary> summary_in(const json::object& row) {
  const auto prefix = text_in(row, "p");
  const auto* member = row.if_contains("c");
  const auto* list = member ? member->if_array() : nullptr;
  Summary summary;
  if (!prefix || !is_prefix(*prefix) || !list || list->size() != summary.children.size()) {
    return std::nullopt;
  }
  summary.prefix = *prefix;
  for (std::size_t i = 0; i < summary.children.size(); ++i) {
    const auto node = node_in((*list)[i]);
    if (!node) return std::nullopt;
    summary.children[i] = *node;
  }
  return summary;
}

std::optional<SummaryItem> item_in(const json::object& row, std::string_view site) {
  auto repository = oci::RepositoryName::parse(text_in(row, "r").value_or(""));
  const auto digest = oci::Digest::parse(text_in(row, "d").value_or(""));
  auto version = version_in(row, site);
  if (!repository || !digest || !version) return std::nullopt;
  SummaryItem item{std::move(*repository), std::nullopt, *digest, std::move(*version)};
  if (!row.contains("t")) return item;
  item.tag = oci::Tag::parse(text_in(row, "t").value_or(""));
  return item.tag ? std::optional(std::move(item)) : std::nullopt;
}

}  // namespace

std::string to_json(const FeedPage& page) {
  json::object body;
  body["site"] = page.site;
  body["journal"] = page.journal;
  body["next"] = page.next;
  body["newest"] = page.newest;
  body["now"] = page.now.time_since_epoch().count();
  if (page.gap) body["gap"] = true;
  body["changes"] = rows_of(page.changes, page.site);
  return json::serialize(body);
}

std::optional<FeedPage> read_feed_page(std::string_view text) {
  const auto body = parse_feed_json(text);
  if (!body) return std::nullopt;
  const auto site = text_in(*body, "site");
  const auto journal = text_in(*body, "journal");
  const auto next = number_in(*body, "next");
  const auto newest = number_in(*body, "newest");
  const auto now = number_in(*body, "now");
  if (!site || !journal || !next || !newest || !now || journal->size() > 64) return std::nullopt;
  // The site's clock reads as a version of its own would.
  const auto clock = version_in({{"v", *now}}, *site);
  auto changes = rows_in(*body, "changes", most_feed_changes,
                         [&](const json::object& row) { return change_in(row, *site); });
  if (!clock || !changes) return std::nullopt;
  const auto* gap = body->if_contains("gap");
  return FeedPage{.site = std::string(*site),
                  .journal = std::string(*journal),
                  .next = *next,
                  .newest = *newest,
                  .now = clock->time,
                  .gap = gap && gap->is_bool() && gap->get_bool(),
                  .changes = std::move(*changes)};
}

std::string to_json(const std::vector<Summary>& summaries) {
  json::array list;
  for (const auto& summary : summaries) {
    json::array children;
    for (const auto& node : summary.children) children.push_back(value_of(node));
    list.push_back(json::object{{"p", summary.prefix}, {"c", std::move(children)}});
  }
  return json::serialize(json::object{{"summaries", std::move(list)}});
}

std::optional<std::vector<Summary>> read_summaries(std::string_view text) {
  const auto body = parse_feed_json(text);
  if (!body) return std::nullopt;
  return rows_in(*body, "summaries", most_summary_prefixes, &summary_in);
}

std::string to_json(const std::vector<SummaryItem>& items) {
  const auto site = first_site(items);
  json::array list;
  list.reserve(items.size());
  for (const auto& item : items) {
    json::object row{{"r", item.repository.text()}};
    if (item.tag) row["t"] = item.tag->text();
    row["d"] = item.digest.text();
    put_version(row, item.version, site);
    list.push_back(std::move(row));
  }
  return json::serialize(json::object{{"site", site}, {"items", std::move(list)}});
}

std::optional<std::vector<SummaryItem>> read_items(std::string_view text) {
  const auto body = parse_feed_json(text);
  const auto site = body ? text_in(*body, "site") : std::nullopt;
  if (!site) return std::nullopt;
  return rows_in(*body, "items", most_summary_items,
                 [&](const json::object& row) { return item_in(row, *site); });
}

std::string to_json(const std::vector<index::Change>& changes) {
  const auto site = first_site(changes);
  return json::serialize(json::object{{"site", site}, {"changes", rows_of(changes, site)}});
}

std::optional<std::vector<index::Change>> read_changes(std::string_view text) {
  const auto body = parse_feed_json(text);
  const auto site = body ? text_in(*body, "site") : std::nullopt;
  if (!site) return std::nullopt;
  return rows_in(*body, "changes", most_tags_asked,
                 [&](const json::object& row) { return change_in(row, *site); });
}

}  // namespace entrepot::registry
