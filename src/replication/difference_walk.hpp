// Finds where two sites differ by their summaries: equal nodes are left alone, unequal ones
// descended, and only where few items are left are they listed.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/registry/feed.hpp"

namespace entrepot::replication {

// A part of what differs.
struct Differences {
  std::vector<registry::SummaryItem> theirs;  // there, and not, or not the same, here
  std::vector<registry::SummaryItem> ours;    // here, and nothing of that name there
};

class DifferenceWalk {
 public:
  struct Side {
    std::shared_ptr<registry::Feed> feed;
    registry::FeedScope scope;
  };
  DifferenceWalk(Side theirs, Side ours);

  // The next part, some thousand items at most; absent when there are no more.
  async::Task<registry::Answer<std::optional<Differences>>> next();

 private:
  struct Leaf {
    std::string prefix;
    std::size_t theirs = 0;  // items
    std::size_t ours = 0;
  };
  using Summaries = std::vector<registry::Summary>;
  using Items = std::vector<registry::SummaryItem>;

  async::Task<registry::Answer<void>> descend();
  void compare(const registry::Summary& theirs, const registry::Summary& ours);
  std::vector<Leaf> take_leaves();
  async::Task<registry::Answer<Differences>> list(std::vector<Leaf> leaves);

  const Side theirs_;
  const Side ours_;
  std::vector<std::string> open_{""};  // nodes that differ, to be descended; the last first
  std::vector<Leaf> leaves_;           // that differ, to be listed
};

}  // namespace entrepot::replication
