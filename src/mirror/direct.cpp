#include "mirror/direct.hpp"

#include <algorithm>

#include "entrepot/base/log.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/oci/refusal.hpp"
#include "mirror/pieces.hpp"

namespace entrepot::mirror {

namespace {
constexpr std::uint64_t read_step = 256 * 1024;

void append_to(std::string& text, const async::Chunk& chunk) {
  for_each_piece(chunk, [&](base::ByteView piece) { text += base::as_text(piece); });
}
}  // namespace

Direct::Direct(Origin origin, Remainder remainder, base::Metrics& metrics)
    : origin_(std::move(origin)),
      base_(std::move(remainder)),
      metrics_(metrics),
      position_(base_.written),
      hasher_(base_.hasher->fork()) {}

async::Task<registry::Answer<std::unique_ptr<Direct>>> Direct::open(
    Origin origin, Remainder remainder, base::Metrics& metrics,
    std::optional<std::chrono::milliseconds> patience) {
  std::unique_ptr<Direct> direct(new Direct(std::move(origin), std::move(remainder), metrics));
  auto answer = co_await direct->ask(patience);
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  direct->upstream_ = std::move(answer->bytes);
  direct->total_ = direct->upstream_->size();
  if (direct->base_.written > direct->total_) {
    co_return std::unexpected(registry::Failure{.kind = registry::FailureKind::broken,
                                                .message = "the blob changed its size"});
  }
  co_return direct;
}

async::Task<registry::Answer<registry::BlobContent>> Direct::ask(
    std::optional<std::chrono::milliseconds> patience) {
  const registry::BlobStart rest{
      .offset = base_.written, .size = origin_.size, .patience = patience};
  co_return co_await origin_.upstream->blob_from(origin_.name, origin_.digest, rest);
}

async::Task<> Direct::rewind() {
  if (tail_) throw oci::Refusal(oci::ErrorCode::upstream_failed, "cannot go back over what is out");
  auto answer = co_await ask({});
  if (!answer) registry::refuse(answer.error(), registry::Subject::blob);
  upstream_ = std::move(answer->bytes);
  if (upstream_->size() != total_) {
    throw oci::Refusal(oci::ErrorCode::upstream_failed, "the blob changed its size");
  }
  sent_before_.insert_or_assign(position_, hasher_.current());
  position_ = base_.written;
  hasher_ = base_.hasher->fork();
}

void Direct::compare_with_earlier() const {
  const auto earlier = sent_before_.find(position_);
  if (earlier == sent_before_.end() || earlier->second == hasher_.current()) return;
  throw oci::Refusal(oci::ErrorCode::upstream_failed, "upstream sent other bytes than before");
}

async::Task<async::Chunk> Direct::read_at(std::uint64_t offset, std::uint64_t most) {
  const auto safe = readable_unproven(total_);
  const auto on_disk = std::min(base_.written, safe);
  if (offset < on_disk) {
    co_return async::FileSlice{
        .file = base_.file, .offset = offset, .length = std::min(most, on_disk - offset)};
  }
  if (offset < safe) {
    co_await advance_to(offset);
    co_return co_await next(std::min(most, safe - offset));
  }
  if (!tail_) co_await prove();
  const auto rest = base::as_bytes(*tail_).subspan(static_cast<std::size_t>(offset - safe));
  const auto length = std::min<std::uint64_t>(most, rest.size());
  co_return async::MemorySlice{.owner = tail_,
                               .bytes = rest.first(static_cast<std::size_t>(length))};
}

async::Task<async::Chunk> Direct::next(std::uint64_t most) {
  const auto mark = sent_before_.upper_bound(position_);
  if (mark != sent_before_.end()) most = std::min(most, mark->first - position_);
  auto chunk = co_await upstream_->read_at(position_, most);
  for_each_piece(chunk, [&](base::ByteView piece) { hasher_.update(piece); });
  position_ += async::length_of(chunk);
  compare_with_earlier();
  co_return chunk;
}

async::Task<> Direct::advance_to(std::uint64_t offset) {
  if (offset < position_) co_await rewind();
  while (position_ < offset) co_await next(std::min(read_step, offset - position_));
}

async::Task<> Direct::prove() {
  const auto safe = readable_unproven(total_);
  // Reads before this never went beyond `safe`: what the tail needs is on disk or still to come.
  if (position_ < safe) co_await advance_to(safe);
  std::string tail;
  tail.reserve(static_cast<std::size_t>(total_ - safe));
  if (position_ > safe) {
    const async::FileSlice written{.file = base_.file, .offset = safe, .length = position_ - safe};
    append_to(tail, written);
  }
  while (position_ < total_) append_to(tail, co_await next(total_ - position_));
  if (hasher_.current() != origin_.digest) {
    metrics_.digest_mismatch(origin_.upstream_name);
    base::log::error("upstream digest mismatch",
                     {{"upstream", origin_.upstream_name}, {"digest", origin_.digest.text()}});
    throw oci::Refusal(oci::ErrorCode::upstream_failed, "upstream sent bytes of another digest");
  }
  tail_ = std::make_shared<const std::string>(std::move(tail));
}

}  // namespace entrepot::mirror
