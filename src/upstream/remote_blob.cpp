#include "upstream/remote_blob.hpp"

#include <algorithm>
#include <stdexcept>

#include "entrepot/oci/refusal.hpp"
#include "upstream/content_range.hpp"

namespace entrepot::upstream {
namespace {

using registry::Failure;
using registry::FailureKind;

// A wake-up for every few segments costs more than the wait.
constexpr std::chrono::milliseconds gather(10);
// A gap this small is read over; a larger one is worth a new request.
constexpr std::uint64_t worth_reading_over = 256 * 1024;
// Breaks are forgiven once this much has come since the last time they were: so a blob of n bytes
// costs at most (retries + 1) * (1 + n / this) tries, and a trickle comes to an end.
constexpr std::uint64_t worth_a_fresh_start = 1024 * 1024;

std::string strong_tag(const http::Headers& headers) {
  const auto tag = headers.get("ETag").value_or("");
  return tag.starts_with('"') ? std::string(tag) : std::string();
}

// What every URL said of the rest, and would say again: that it is absent, or nothing in time.
bool is_final(FailureKind kind) {
  return kind == FailureKind::absent || kind == FailureKind::offline ||
         kind == FailureKind::timeout;
}

}  // namespace

RemoteBlob::RemoteBlob(std::shared_ptr<Asker> asker, Question question, std::uint64_t size)
    : asker_(std::move(asker)), question_(std::move(question)), size_(size) {}

std::optional<std::string> RemoteBlob::begin(Held held) {
  if (auto why = check_validator(held.reply)) return why;
  if (auto why = place(*held.reply.response)) return why;
  keep_validator(held.reply);
  held_ = std::move(held);
  piece_ = {};
  fresh_ = 0;
  return std::nullopt;
}

// Where the transfer's first byte stands in the blob.
std::optional<std::string> RemoteBlob::place(const http::Response& response) {
  if (response.status() == 200) {
    if (response.content_length().value_or(size_) != size_)
      return "changed the blob's size amid the transfer";
    position_ = 0;
    ignores_ranges_ = question_.from.has_value();
    return std::nullopt;
  }
  const auto range = parse_content_range(response.headers().get("Content-Range").value_or(""));
  if (!range || !question_.from || range->first != *question_.from)
    return "sends another range than asked for";
  if (range->total.value_or(size_) != size_) return "changed the blob's size amid the transfer";
  if (response.content_length() && *response.content_length() != range->last - range->first + 1)
    return "sends a range of another length than it says";
  position_ = range->first;
  return std::nullopt;
}

// Two servers may tag one content differently; one server that changes the tag changed the content.
std::optional<std::string> RemoteBlob::check_validator(const Reply& reply) const {
  const auto tag = strong_tag(reply.response->headers());
  if (tag.empty() || validator_.empty() || tag == validator_) return std::nullopt;
  if (reply.url.origin() != validator_origin_) return std::nullopt;
  return "changed the blob's entity tag amid the transfer";
}

void RemoteBlob::keep_validator(const Reply& reply) {
  if (!validator_.empty()) return;
  validator_ = strong_tag(reply.response->headers());
  validator_origin_ = reply.url.origin();
}

async::Task<async::Chunk> RemoteBlob::read_at(std::uint64_t offset, std::uint64_t most) {
  if (offset >= size_ || most == 0) throw std::out_of_range("read past the end of a blob");
  co_await reach(offset);
  const auto count = std::min<std::uint64_t>({most, piece_.size(), size_ - offset});
  async::MemorySlice slice{piece_owner_, piece_.first(static_cast<std::size_t>(count))};
  drop(count);
  co_return async::Chunk(std::move(slice));
}

void RemoteBlob::drop(std::uint64_t count) {
  piece_ = piece_.subspan(static_cast<std::size_t>(count));
  position_ += count;
}

// Until piece_ is not empty and begins at `offset`.
async::Task<> RemoteBlob::reach(std::uint64_t offset) {
  for (;;) {
    const bool behind = position_ + piece_.size() < offset;
    const bool far =
        behind && !ignores_ranges_ && offset - position_ - piece_.size() > worth_reading_over;
    if (!held_ || position_ > offset || far) co_await reopen(offset);
    if (position_ < offset && !piece_.empty())
      drop(std::min<std::uint64_t>(offset - position_, piece_.size()));
    if (position_ == offset && !piece_.empty()) co_return;
    if (piece_.empty() && co_await fetch_piece() == Found::broken_off) co_await recover();
  }
}

async::Task<RemoteBlob::Found> RemoteBlob::fetch_piece() {
  piece_owner_.reset();  // or the transfer could not use its buffer again
  auto piece = co_await held_->reply.response->next(gather);
  if (piece && !piece->empty()) {
    if (piece->size() > size_ - position_) give_up("sends more bytes than the blob has");
    piece_ = *piece;
    piece_owner_ = held_->reply.response->piece_owner();
    count_fresh(position_, position_ + piece_.size());
    asker_->metrics().upstream_bytes(asker_->name(), piece_.size());
    co_return Found::bytes;
  }
  // Its end before the blob's, by its own length or without one.
  broke_off_ = {FailureKind::broken, "ended the blob too early"};
  if (!piece && piece.error().kind == http::TransportErrorKind::timeout)
    broke_off_.kind = FailureKind::timeout;
  if (!piece) broke_off_.message = piece.error().message;
  co_return Found::broken_off;
}

// What is only read over again is no progress.
void RemoteBlob::count_fresh(std::uint64_t first, std::uint64_t end) {
  if (end <= furthest_) return;
  const auto count = end - std::max(first, furthest_);
  fresh_ += count;
  progress_ += count;
  furthest_ = end;
}

async::Task<> RemoteBlob::recover() {
  asker_->broke_off(held_->url, broke_off_.message);
  const bool again = strikes_ > 0 && progress_ < worth_a_fresh_start;
  if (fresh_ == 0 || again) question_.avoid = held_->url;
  held_.reset();
  co_await strike(asker_->named(broke_off_));
}

// Waits before the next try, or gives up with `failure`. With real progress it may go on for long;
// a silence counts twice, for everybody waits it out each time (reliability.md C-09), and so does a
// refusal, which seldom passes.
async::Task<> RemoteBlob::strike(Failure failure) {
  const bool twice = failure.kind == FailureKind::timeout || failure.kind == FailureKind::denied;
  if (progress_ >= worth_a_fresh_start) strikes_ = 0;
  if (strikes_ == 0) progress_ = 0;
  strikes_ += twice ? 2 : 1;
  const Setback setback{failure, Again::may_help, Blame::server};
  const auto delay = retry_delay(asker_->rule(), strikes_, setback, draw_jitter());
  if (!delay) registry::refuse(failure, registry::Subject::blob);
  if (strikes_ > 1 || failure.retry_after) co_await async::sleep_for(*delay);
}

async::Task<> RemoteBlob::reopen(std::uint64_t offset) {
  held_.reset();
  piece_ = {};
  question_.from = offset > 0 ? std::optional(offset) : std::nullopt;
  for (;;) {
    auto held = co_await asker_->ask(question_);
    if (!held) {
      if (is_final(held.error().kind)) registry::refuse(held.error(), registry::Subject::blob);
      co_await strike(std::move(held.error()));
      continue;
    }
    const auto url = held->url;
    auto why = begin(std::move(*held));
    if (!why) co_return;
    // Another URL, or another server behind this one, may have what the first bytes were of.
    asker_->broke_off(url, *why);
    question_.avoid = url;
    co_await strike(asker_->named({FailureKind::broken, std::move(*why)}));
  }
}

void RemoteBlob::give_up(std::string why) const {
  registry::refuse(asker_->named({FailureKind::broken, std::move(why)}), registry::Subject::blob);
}

}  // namespace entrepot::upstream
