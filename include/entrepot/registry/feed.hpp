// What one entrepot site tells another: its Journal as a feed, and summaries of what it holds, by
// which two sites find where they differ without listing everything (anti-entropy).
//
// LocalFeed (local_feed.hpp) answers from the index, upstream::RemoteFeed asks a peer's /api/v1.
// Contract: tests/contract/feed_contract.hpp. Words on the wire: feed_words.hpp.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/index/journal.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/registry/failure.hpp"

namespace entrepot::registry {

// Which part of a site is spoken of; both sides mean the same by it.
struct FeedScope {
  std::vector<std::string> repositories{"**"};  // globs over names
  // What stands before these names at the site that is asked, when it keeps the other's content
  // under a prefix of its own ("paris/"); names in answers are without it.
  std::string prefix{};
};

// What one answer holds at most; a question for more is refused (denied).
inline constexpr std::size_t most_feed_changes = 1000;
inline constexpr std::size_t most_summary_prefixes = 256;
inline constexpr std::size_t most_prefix_digits = 8;
inline constexpr std::size_t most_summary_items = 10'000;
inline constexpr std::size_t most_tags_asked = 1000;
inline constexpr std::chrono::seconds longest_feed_wait{60};

struct FeedPage {
  std::string site;          // id of the site asked
  std::string journal;       // id of its Journal: another one, and positions mean nothing
  std::uint64_t next = 0;    // `since` of the next question
  std::uint64_t newest = 0;  // row of the Journal at that moment, in any scope
  base::WallTime now{};      // the site's clock
  // Rows above `since` were dropped, or there never were so many: compare summaries, then go on at
  // `next`, which is `newest`; there are no changes.
  bool gap = false;
  std::vector<index::Change> changes;  // of the scope, ascending
};

// A summary is a tree over the items of a scope by the hexadecimal digits of each item's place, a
// sha256: a node is the count of its items and the sum of their hashes modulo 2^128. Equal nodes
// hold equal items. Items: each tag with its digest, each linked manifest (src/registry/
// summary_tree.hpp has the bytes).
struct SummaryNode {
  std::uint64_t items = 0;
  std::array<std::uint64_t, 2> sum{};
  bool operator==(const SummaryNode&) const = default;
};
struct Summary {
  std::string prefix;                      // lower-case hexadecimal digits of the node
  std::array<SummaryNode, 16> children{};  // what its next digit parts it into
};
struct SummaryItem {
  oci::RepositoryName repository;
  std::optional<oci::Tag> tag{};  // absent: the manifest itself
  oci::Digest digest;
  // Of a manifest: when it was put without a tag; all zero when nobody told of it.
  index::Version version{};
};

// A tag, or by its digest a manifest itself.
struct TagName {
  TagName(oci::RepositoryName of, oci::Reference what)
      : repository(std::move(of)), reference(std::move(what)) {}
  TagName(oci::RepositoryName of, oci::Tag tag)
      : TagName(std::move(of), oci::Reference(std::move(tag))) {}

  oci::RepositoryName repository;
  oci::Reference reference;
};

// Thread-safe.
class Feed {
 public:
  virtual ~Feed() = default;
  // Waits up to `longest` while there is nothing above `since` in the scope. At most `limit` rows;
  // no rows, and a greater `next`: ask on.
  virtual async::Task<Answer<FeedPage>> changes(FeedScope scope, std::uint64_t since,
                                                std::size_t limit,
                                                std::chrono::milliseconds longest) = 0;
  // Of each prefix ("" is the root), in the order asked.
  virtual async::Task<Answer<std::vector<Summary>>> summaries(
      FeedScope scope, std::vector<std::string> prefixes) = 0;
  // Everything under these nodes.
  virtual async::Task<Answer<std::vector<SummaryItem>>> items(
      FeedScope scope, std::vector<std::string> prefixes) = 0;
  // The newest change of each tag that has one, removals too, in the order asked; of a manifest
  // whether it is here, or was taken away since it was put or deleted by its digest.
  virtual async::Task<Answer<std::vector<index::Change>>> latest(FeedScope scope,
                                                                 std::vector<TagName> tags) = 0;
};

// Who asks sees only repositories that `visible` lets them; empty: all.
using Visible = std::function<bool(const oci::RepositoryName&)>;

}  // namespace entrepot::registry
