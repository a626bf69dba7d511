// The words of a Feed on the wire (/api/v1): questions as query parameters, answers as JSON with
// keys of one letter. api writes answers and reads questions, upstream::RemoteFeed the other way
// round; what one writes the other reads. Readers take anything (fuzzed) and obey the bounds of
// feed.hpp; a word they do not know among keys is passed over. Pure.
//
//   GET  /api/v1/feed        since, n, wait (seconds), scope
//        {"site", "journal", "next", "newest", "now", "gap": true, "changes": [CHANGE]}
//   GET  /api/v1/summaries   prefix (comma-separated), scope
//        {"summaries": [{"p": digits, "c": [16 × 0 or [items, 32 digits]]}]}
//   GET  /api/v1/items       prefix, scope
//        {"site", "items": [{"r": repository, "t": tag, "d": digest, "v": ms, "s": site}]}
//   POST /api/v1/latest      {"repositories": [GLOB], "under": prefix,
//        "tags": [[repository, tag or digest]]}
//        {"site", "changes": [CHANGE]}
//
//   CHANGE  {"n": sequence, "r": repository, "t": tag, "f": digest from, "d": digest to, "v": ms,
//            "s": site, "c": cause, "w": who}; what is absent is left out, as is "s" when it is the
//            answer's "site", and "c" when it is "push"
//   scope   repository (a glob, any number of times; none: all), under (the scope's prefix)
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "entrepot/registry/feed.hpp"

namespace entrepot::registry {

struct FeedQuestion {
  FeedScope scope{};
  std::uint64_t since = 0;
  std::size_t limit = most_feed_changes;
  std::chrono::seconds wait{0};
};
struct NodesQuestion {
  FeedScope scope{};
  std::vector<std::string> prefixes{};
};
struct LatestQuestion {
  FeedScope scope{};
  std::vector<TagName> tags{};
};

// Not percent-encoded.
using FeedQuery = std::vector<std::pair<std::string, std::string>>;
FeedQuery to_query(const FeedQuestion& question);
FeedQuery to_query(const NodesQuestion& question);
// The error is a sentence for who asked.
std::expected<FeedQuestion, std::string> read_feed_question(const FeedQuery& query);
std::expected<NodesQuestion, std::string> read_nodes_question(const FeedQuery& query);

std::string to_json(const LatestQuestion& question);
std::expected<LatestQuestion, std::string> read_latest_question(std::string_view text);

std::string to_json(const FeedPage& page);
std::optional<FeedPage> read_feed_page(std::string_view text);

std::string to_json(const std::vector<Summary>& summaries);
std::optional<std::vector<Summary>> read_summaries(std::string_view text);

std::string to_json(const std::vector<SummaryItem>& items);
std::optional<std::vector<SummaryItem>> read_items(std::string_view text);

std::string to_json(const std::vector<index::Change>& changes);
std::optional<std::vector<index::Change>> read_changes(std::string_view text);

// No answer is longer.
inline constexpr std::size_t most_feed_bytes = std::size_t{16} << 20;

}  // namespace entrepot::registry
