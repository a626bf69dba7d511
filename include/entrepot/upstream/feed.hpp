// Another entrepot site as a Feed, over its /api/v1 (registry/feed_words.hpp), and as a peer: Place
// and Feed of one server, which share accounts, URLs and what is known of their health.
#pragma once

#include <memory>

#include "entrepot/registry/feed.hpp"
#include "entrepot/registry/sink.hpp"
#include "entrepot/upstream/remote.hpp"

namespace entrepot::upstream {

// As connect(). What is no entrepot answers `absent`; one that does not show its Journal to our
// account, `denied`. A poll that waits takes none of the places of other questions.
std::unique_ptr<registry::Feed> connect_feed(RemoteOptions options, http::Client& client,
                                             async::BlockingPool& pool, const base::Clock& clock,
                                             base::Metrics& metrics);

struct Peer {
  std::unique_ptr<registry::Place> place;
  std::unique_ptr<registry::Feed> feed;
};
Peer connect_peer(RemoteOptions options, http::Client& client, async::BlockingPool& pool,
                  const base::Clock& clock, base::Metrics& metrics);

}  // namespace entrepot::upstream
