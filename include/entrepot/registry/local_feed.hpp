// The Feed of this site, answered from its index.
//
// Rows are read in place, a bounded number at a time; the tree of a summary is computed on the pool
// and kept until the Journal moves, a few for all callers together.
#pragma once

#include <memory>

#include "entrepot/async/offload.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/registry/feed.hpp"

namespace entrepot::registry {

class LocalFeed final : public Feed {
 public:
  // Outlives the LocalFeed and all made of it.
  struct House {
    index::Index& index;
    async::BlockingPool& pool;
    const base::Clock& clock;
  };
  explicit LocalFeed(House house);

  // The same for a caller who may see less. Cheap: one a request.
  LocalFeed seen_by(Visible visible) const;

  // Whoever waits is answered at once, and nobody waits any more: so that a daemon can end.
  void stop();

  async::Task<Answer<FeedPage>> changes(FeedScope scope, std::uint64_t since, std::size_t limit,
                                        std::chrono::milliseconds longest) override;
  async::Task<Answer<std::vector<Summary>>> summaries(FeedScope scope,
                                                      std::vector<std::string> prefixes) override;
  async::Task<Answer<std::vector<SummaryItem>>> items(FeedScope scope,
                                                      std::vector<std::string> prefixes) override;
  async::Task<Answer<std::vector<index::Change>>> latest(FeedScope scope,
                                                         std::vector<TagName> tags) override;

 private:
  struct Shared;
  LocalFeed(House house, std::shared_ptr<Shared> shared, Visible visible);

  House house_;
  std::shared_ptr<Shared> shared_;  // by all made of the first
  Visible visible_;
};

}  // namespace entrepot::registry
