#include "upstream/blob_push.hpp"

#include <algorithm>
#include <limits>

namespace entrepot::upstream {
namespace {

using registry::Answer;
using registry::BlobTaken;
using registry::FailureKind;
using registry::Taken;

// Sent along with the request that closes the upload.
constexpr std::uint64_t small = 4 * 1024 * 1024;
constexpr std::size_t most_mounts = 4;
// Where a break leaves nothing of what was sent, somebody on the way gathers whole requests.
constexpr std::uint64_t smaller_piece = 16 * 1024 * 1024;
constexpr std::uint64_t smallest_piece = 256 * 1024;
constexpr std::uint64_t any_size = std::numeric_limits<std::uint64_t>::max();
// Breaks are forgiven once this much has arrived since the last time they were: so a blob of n
// bytes costs at most (retries + 1) * (1 + n / this) tries, and a trickle comes to an end.
constexpr std::uint64_t worth_a_fresh_start = 1024 * 1024;

constexpr std::chrono::milliseconds time_to_settle(100);
constexpr int most_unsettled = 20;

constexpr int gone = 404;
constexpr int too_large = 413;
constexpr int wrong_range = 416;

bool may_tell_later(const Setback& setback) {
  return setback.again == Again::may_help || setback.status == 0 ||
         setback.failure.kind == FailureKind::throttled;
}

}  // namespace

BlobPush::BlobPush(std::shared_ptr<PushDesk> desk, oci::RepositoryName name,
                   registry::BlobOffer offer)
    : desk_(std::move(desk)), name_(std::move(name)), offer_(std::move(offer)), piece_(any_size) {}

BlobPush::~BlobPush() {
  if (upload_) desk_->unfinished.keep({name_, offer_.digest}, std::move(*upload_));
}

async::Task<Answer<BlobTaken>> BlobPush::run() {
  auto taken = co_await push();
  if (!upload_ && !noted_.empty()) co_await desk_->notes.forget({name_, offer_.digest});
  co_return taken;
}

async::Task<> BlobPush::recall() {
  upload_ = desk_->unfinished.take({name_, offer_.digest});
  if (upload_ || offer_.size <= small) co_return;
  auto place = co_await desk_->notes.find({name_, offer_.digest});
  if (!place) co_return;
  noted_ = place->address.text();
  upload_.emplace(desk_->asker, name_, std::move(*place));
}

// Before bytes are sent, and whenever its address has changed. What goes in one request is not
// worth it.
async::Task<> BlobPush::note() {
  auto address = upload_->place().address.text();
  if (offer_.size <= small || address == noted_) co_return;
  noted_ = std::move(address);
  co_await desk_->notes.keep({name_, offer_.digest}, upload_->place());
}

async::Task<Answer<BlobTaken>> BlobPush::push() {
  const auto held = co_await is_held();
  if (!held) co_return std::unexpected(held.error());
  if (*held) co_return BlobTaken{Taken::held};
  co_await recall();
  if (!upload_ && co_await mount()) co_return BlobTaken{Taken::mounted};
  for (;;) {
    auto done = co_await attempt();
    if (done) break;
    auto again = co_await recover(std::move(done.error()));
    if (!again) co_return std::unexpected(std::move(again.error()));
  }
  upload_.reset();
  co_return BlobTaken{Taken::moved, offer_.size};
}

// A registry that sends us on to its store has it, whatever the store thinks of a HEAD.
async::Task<Answer<bool>> BlobPush::is_held() {
  const auto& asker = *desk_->asker;
  Question asked{.kind = "stat",
                 .method = "HEAD",
                 .repository = name_.text(),
                 .path = "/blobs/" + offer_.digest.text(),
                 .accept = "*/*"};
  asked.right = Right::push;
  const auto held = co_await desk_->asker->ask(std::move(asked));
  if (held)
    co_return held->reply.response->status() == 200 ||
        held->reply.url.origin() != asker.url(held->url).origin();
  if (held.error().kind == FailureKind::absent) co_return false;
  co_return std::unexpected(held.error());
}

// Whatever else comes of it: the bytes can be had.
async::Task<bool> BlobPush::mount() {
  const auto count = std::min(offer_.mount_from.size(), most_mounts);
  for (std::size_t i = 0; i < count; ++i) {
    if (offer_.mount_from[i] == name_) continue;
    if (upload_) co_await upload_->cancel();
    drop();
    auto opened = co_await open_upload(desk_->asker, name_, offer_.digest, offer_.mount_from[i]);
    if (!opened) continue;
    if (opened->mounted) co_return true;
    upload_ = std::move(opened->upload);
    offset_known_ = true;
  }
  co_return false;
}

async::Task<Answer<void>> BlobPush::open() {
  auto opened = co_await open_upload(desk_->asker, name_, offer_.digest, std::nullopt);
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  upload_ = std::move(opened->upload);
  offset_ = 0;
  offset_known_ = true;
  co_return Answer<void>();
}

async::Task<Try<void>> BlobPush::attempt() {
  if (upload_ && !offset_known_) {
    auto found = co_await find_offset();
    if (!found) co_return found;
  }
  if (!upload_ && strikes_ > 0) {  // finished, perhaps, and its answer lost
    const auto held = co_await is_held();
    if (held && *held) co_return Try<void>();
  }
  if (!upload_) {
    auto opened = co_await open();  // which was tried again already, at every URL
    if (!opened) co_return std::unexpected(Setback{std::move(opened.error())});
  }
  co_return co_await try_once(std::make_shared<OfferedBytes>(offer_, desk_->asker->rule()));
}

// After a break the registry may still be busy with what came before it, and would add that to what
// we send next: only what it says twice is so.
async::Task<Try<std::optional<std::uint64_t>>> BlobPush::settled_offset() {
  auto told = co_await upload_->offset();
  for (int asked = 0; asked < most_unsettled; ++asked) {
    if (!told || !*told) break;
    co_await async::sleep_for(time_to_settle);
    auto again = co_await upload_->offset();
    const bool same = again && *again == *told;
    told = std::move(again);
    if (same) break;
  }
  co_return told;
}

// Of the upload that is open; closed when it is gone, or does not tell.
async::Task<Try<void>> BlobPush::find_offset() {
  const auto told = co_await settled_offset();
  if (!told && may_tell_later(told.error())) co_return std::unexpected(told.error());
  if (!told || !*told || **told > offer_.size) {
    drop();
    co_return Try<void>();
  }
  if (strikes_ > 0 && **told <= offset_) piece_ = std::min(piece_, smaller_piece);
  arrived(**told);
  offset_known_ = true;
  co_return Try<void>();
}

// What the offer's owner says is no fault of the upstream's, and final.
async::Task<Try<void>> BlobPush::try_once(std::shared_ptr<OfferedBytes> bytes) {
  try {
    co_return co_await send(bytes);
  } catch (const OfferFailed& offer) {
    co_return std::unexpected(Setback{offer.failure});
  }
}

async::Task<Try<void>> BlobPush::send(std::shared_ptr<OfferedBytes> bytes) {
  const auto size = offer_.size;
  if (offset_ == 0 && size > 0 && size <= std::min(small, piece_))
    co_return co_await upload_->finish(offer_.digest, std::move(bytes));
  while (offset_ < size) {
    co_await note();
    bytes->end_at(offset_ + std::min(piece_, size - offset_));
    const auto stands = co_await upload_->send(bytes, offset_);
    if (!stands) co_return std::unexpected(stands.error());
    arrived(*stands);
  }
  co_return co_await upload_->finish(offer_.digest, nullptr);
}

void BlobPush::arrived(std::uint64_t offset) {
  offset_ = offset;
  if (offset <= furthest_) return;
  progress_ += offset - furthest_;
  furthest_ = offset;
}

void BlobPush::drop() {
  upload_.reset();
  offset_ = 0;
  offset_known_ = false;
}

// Whether another try may end better, and what it does differently.
bool BlobPush::adapt(const Setback& setback) {
  offset_known_ = false;
  if (!upload_) return false;
  const bool refused = setback.status >= 400 && setback.status < 500;
  const bool begun_already = setback.status == wrong_range && offset_ == 0;
  if (setback.status == gone || begun_already) drop();
  if (setback.status == gone || setback.status == wrong_range) return true;
  if (setback.status == too_large) {
    piece_ = std::min(smaller_piece, std::min(piece_, offer_.size) / 4);
    return piece_ >= smallest_piece;
  }
  const bool silent =
      setback.failure.kind == FailureKind::timeout && setback.blame == Blame::server;
  if (setback.again == Again::may_help || silent) return true;
  // Or the next push would finish what will not do.
  if (refused && setback.failure.kind == FailureKind::broken) drop();
  return false;
}

// After a break: when it is time to go on, or why we do not.
async::Task<Answer<void>> BlobPush::recover(Setback setback) {
  const auto& asker = *desk_->asker;
  if (!adapt(setback)) co_return std::unexpected(std::move(setback.failure));
  if (progress_ >= worth_a_fresh_start) strikes_ = 0;
  if (strikes_ == 0) progress_ = 0;
  strikes_ += setback.failure.kind == FailureKind::timeout ? 2 : 1;
  if (asker.urls() > 1 && strikes_ > 1) drop();
  setback.again = Again::may_help;
  const auto delay = retry_delay(asker.rule(), strikes_, setback, draw_jitter());
  if (!delay) co_return std::unexpected(std::move(setback.failure));
  co_await async::sleep_for(*delay);
  co_return Answer<void>();
}

}  // namespace entrepot::upstream
