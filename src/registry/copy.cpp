#include "entrepot/registry/copy.hpp"

#include <utility>

#include "registry/image_walk.hpp"

namespace entrepot::registry {

CopyTally& CopyTally::operator+=(const CopyTally& other) {
  manifests += other.manifests;
  manifests_held += other.manifests_held;
  blobs_moved += other.blobs_moved;
  blobs_mounted += other.blobs_mounted;
  blobs_held += other.blobs_held;
  bytes += other.bytes;
  return *this;
}

async::Task<Answer<CopyTally>> copy(Source& from, Place& to, CopyOrder order) {
  ImageWalk walk(from, to, std::move(order), ImageWalk::Mode::copy);
  co_return co_await walk.run();
}

async::Task<Answer<CopyTally>> estimate(Source& from, Place& to, CopyOrder order) {
  ImageWalk walk(from, to, std::move(order), ImageWalk::Mode::estimate);
  co_return co_await walk.run();
}

}  // namespace entrepot::registry
