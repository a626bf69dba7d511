// What connect_feed() makes.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "entrepot/registry/feed.hpp"
#include "upstream/asker.hpp"

namespace entrepot::upstream {

class RemoteFeed final : public registry::Feed {
 public:
  explicit RemoteFeed(std::shared_ptr<Asker> asker) : asker_(std::move(asker)) {}

  async::Task<registry::Answer<registry::FeedPage>> changes(
      registry::FeedScope scope, std::uint64_t since, std::size_t limit,
      std::chrono::milliseconds longest) override;
  async::Task<registry::Answer<std::vector<registry::Summary>>> summaries(
      registry::FeedScope scope, std::vector<std::string> prefixes) override;
  async::Task<registry::Answer<std::vector<registry::SummaryItem>>> items(
      registry::FeedScope scope, std::vector<std::string> prefixes) override;
  async::Task<registry::Answer<std::vector<index::Change>>> latest(
      registry::FeedScope scope, std::vector<registry::TagName> tags) override;

 private:
  std::shared_ptr<Asker> asker_;
};

}  // namespace entrepot::upstream
