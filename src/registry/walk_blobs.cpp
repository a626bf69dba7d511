// ImageWalk: blobs.
#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "entrepot/async/together.hpp"
#include "registry/copy_failure.hpp"
#include "registry/image_walk.hpp"

namespace entrepot::registry {
namespace {
constexpr std::chrono::hours for_ever{24 * 365};
}  // namespace

// Tells the walk of what is read through it.
class ImageWalk::Counted final : public async::ByteSource {
 public:
  Counted(ImageWalk& walk, std::unique_ptr<async::ByteSource> bytes)
      : walk_(walk), bytes_(std::move(bytes)) {}

  std::uint64_t size() const override { return bytes_->size(); }
  async::Task<async::Chunk> read_at(std::uint64_t offset, std::uint64_t most) override {
    walk_.check_wanted();
    auto chunk = co_await bytes_->read_at(offset, most);
    walk_.count_moved(async::length_of(chunk));
    co_return chunk;
  }

 private:
  ImageWalk& walk_;
  const std::unique_ptr<async::ByteSource> bytes_;
};

async::Task<> ImageWalk::bring_blobs(std::vector<oci::Descriptor> blobs) {
  std::set<oci::Digest> met;
  std::erase_if(blobs, [&](const auto& blob) { return !met.insert(blob.digest).second; });
  std::ranges::reverse(blobs);
  for (const auto& blob : blobs) count_missing(blob.size, 0);
  const auto count = std::min(std::max<std::size_t>(order_.options.blobs_at_once, 1), blobs.size());
  std::vector<async::Task<>> workers;
  workers.reserve(count);
  for (std::size_t i = 0; i < count; ++i) workers.push_back(bring_some_blobs(blobs));
  co_await async::together(std::move(workers));
}

async::Task<> ImageWalk::bring_some_blobs(std::vector<oci::Descriptor>& blobs) {
  while (!blobs.empty() && !failed_) {
    const auto blob = blobs.back();
    blobs.pop_back();
    try {
      co_await blobs_.run(blob.digest, [this, blob] { return bring_blob(blob); });
    } catch (...) {
      note_failure();
      throw;
    }
  }
}

async::Task<> ImageWalk::bring_blob(oci::Descriptor blob) {
  const auto lane = co_await lanes_.acquire(for_ever);
  check_going();
  if (mode_ == Mode::estimate) {
    co_await guess(std::move(blob));
  } else {
    co_await move(std::move(blob));
  }
}

async::Task<> ImageWalk::move(oci::Descriptor blob) {
  auto taken = co_await to_.put_blob(order_.to_name, offer_of(blob));
  check_wanted();
  if (!taken) {
    throw CopyFailure("blob " + blob.digest.text() + " of " + order_.from_name.text(),
                      std::move(taken.error()), Whose::sink);
  }
  count_missing(0, blob.size - std::min(blob.size, taken->bytes));
  switch (taken->how) {
    case Taken::held:
      ++tally_.blobs_held;
      break;
    case Taken::mounted:
      ++tally_.blobs_mounted;
      break;
    case Taken::moved:
      ++tally_.blobs_moved;
      tally_.bytes += taken->bytes;
      break;
  }
  if (order_.seen) order_.seen->add(blob.digest, order_.to_name);
}

async::Task<> ImageWalk::guess(oci::Descriptor blob) {
  const auto seen = order_.seen ? order_.seen->of(blob.digest) : std::vector<oci::RepositoryName>();
  const bool here = std::ranges::find(seen, order_.to_name) != seen.end();
  const auto held = here ? Answer<BlobSize>(BlobSize{.size = blob.size})
                         : co_await to_.stat(order_.to_name, blob.digest);
  if (held) {
    ++tally_.blobs_held;
  } else if (held.error().kind != FailureKind::absent) {
    throw CopyFailure("asking for blob " + blob.digest.text() + " of " + order_.to_name.text(),
                      held.error(), Whose::sink);
  } else if (!seen.empty()) {
    ++tally_.blobs_mounted;
  } else {
    ++tally_.blobs_moved;
    tally_.bytes += blob.size;
  }
  if (order_.seen) order_.seen->add(blob.digest, order_.to_name);
}

BlobOffer ImageWalk::offer_of(const oci::Descriptor& blob) {
  BlobOffer offer{
      .digest = blob.digest,
      .size = blob.size,
      .open = [this, digest = blob.digest](BlobStart start) { return open(digest, start); },
      .stat = [this, digest = blob.digest] { return confirm(digest); },
  };
  if (!order_.seen) return offer;
  offer.mount_from = order_.seen->of(blob.digest);
  std::erase(offer.mount_from, order_.to_name);
  return offer;
}

async::Task<Answer<BlobContent>> ImageWalk::open(oci::Digest digest, BlobStart start) {
  check_wanted();
  auto content = co_await from_.blob_from(order_.from_name, digest, start);
  if (content) content->bytes = std::make_unique<Counted>(*this, std::move(content->bytes));
  if (!content) content.error().whose = Whose::source;
  co_return content;
}

async::Task<Answer<BlobSize>> ImageWalk::confirm(oci::Digest digest) {
  auto size = co_await from_.stat(order_.from_name, digest);
  if (!size) size.error().whose = Whose::source;
  co_return size;
}

void ImageWalk::count_missing(std::uint64_t more, std::uint64_t less) const {
  if (!order_.missing || mode_ == Mode::estimate) return;
  order_.missing(static_cast<std::int64_t>(more) - static_cast<std::int64_t>(less));
}

void ImageWalk::count_moved(std::uint64_t bytes) {
  count_missing(0, bytes);
  if (!order_.moved) return;
  try {
    order_.moved(bytes);
  } catch (...) {
    stopped_ = std::current_exception();
    throw;
  }
}

}  // namespace entrepot::registry
