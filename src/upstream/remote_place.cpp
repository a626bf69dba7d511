#include "upstream/remote_place.hpp"

#include <algorithm>

#include "entrepot/upstream/place.hpp"
#include "upstream/manifest_push.hpp"
#include "upstream/repositories.hpp"

namespace entrepot::upstream {
namespace {

using registry::Answer;
using registry::BlobTaken;

constexpr std::chrono::hours as_long_as_it_takes(24 * 365);

// In another repository there just now, when several want it at once.
void add_hints(const PushDesk& desk, registry::BlobOffer& offer) {
  for (auto& name : desk.seen.of(offer.digest))
    if (std::ranges::find(offer.mount_from, name) == offer.mount_from.end())
      offer.mount_from.push_back(std::move(name));
}

async::Task<Answer<BlobTaken>> push_blob(std::shared_ptr<PushDesk> desk, oci::RepositoryName name,
                                         registry::BlobOffer offer) {
  const auto digest = offer.digest;
  const auto turn = co_await desk->movers->turn(digest, as_long_as_it_takes);
  add_hints(*desk, offer);
  BlobPush push(desk, name, std::move(offer));
  auto taken = co_await push.run();
  if (taken) desk->seen.add(digest, name);
  co_return taken;
}

}  // namespace

RemotePlace::RemotePlace(std::shared_ptr<Asker> asker, UploadMemory memory,
                         const base::Clock& clock)
    : Reader(asker),
      desk_(std::make_shared<PushDesk>(std::move(asker), std::move(memory), clock)) {}

async::Task<Answer<BlobTaken>> RemotePlace::put_blob(oci::RepositoryName name,
                                                     registry::BlobOffer offer) {
  return push_blob(desk_, std::move(name), std::move(offer));
}

async::Task<Answer<void>> RemotePlace::put_manifest(oci::RepositoryName name,
                                                    registry::ManifestOffer offer) {
  return upstream::put_manifest(asker(), desk_->movers, std::move(name), std::move(offer));
}

async::Task<Answer<bool>> RemotePlace::remove(oci::RepositoryName name, oci::Reference reference) {
  return remove_reference(asker(), std::move(name), std::move(reference));
}

async::Task<Answer<registry::RepositoryPage>> RemotePlace::repositories(registry::Page page) {
  return list_repositories(asker(), std::move(page));
}

std::unique_ptr<registry::Place> connect_place(RemoteOptions options, http::Client& client,
                                               async::BlockingPool& pool, const base::Clock& clock,
                                               base::Metrics& metrics) {
  return std::make_unique<RemotePlace>(
      std::make_shared<Asker>(options, client, pool, clock, metrics), options.uploads, clock);
}

}  // namespace entrepot::upstream
