#include "mirror/follower.hpp"

#include <algorithm>

#include "entrepot/oci/refusal.hpp"

namespace entrepot::mirror {

async::Task<async::Chunk> Follower::read_at(std::uint64_t offset, std::uint64_t most) {
  while (!direct_) {
    auto now = seat_.fill().progress();
    if (auto chunk = available(now, offset, most)) co_return std::move(*chunk);
    if (now.state == FillState::unstorable) {
      co_await go_direct(std::move(now.remainder));
    } else {
      co_await seat_.fill().wait(now.ticket);
    }
  }
  co_return co_await direct_->read_at(offset, most);
}

std::optional<async::Chunk> Follower::available(const Fill::Progress& now, std::uint64_t offset,
                                                std::uint64_t most) {
  if (now.state == FillState::failed && now.failure) {
    registry::refuse(*now.failure, registry::Subject::blob);
  }
  if (reading_ && *reading_ != now.generation) {
    throw oci::Refusal(oci::ErrorCode::upstream_failed, "the bytes so far turned out wrong");
  }
  if (now.total && *now.total != total_) {
    throw oci::Refusal(oci::ErrorCode::upstream_failed, "the blob changed its size");
  }
  if (offset >= now.readable) return std::nullopt;
  reading_ = now.generation;
  return async::FileSlice{
      .file = now.file, .offset = offset, .length = std::min(most, now.readable - offset)};
}

async::Task<> Follower::go_direct(Remainder remainder) {
  auto opened = co_await Direct::open(origin_, std::move(remainder), metrics_, {});
  if (!opened) registry::refuse(opened.error(), registry::Subject::blob);
  direct_ = std::move(*opened);
  if (direct_->size() != total_) {
    throw oci::Refusal(oci::ErrorCode::upstream_failed, "the blob changed its size");
  }
}

}  // namespace entrepot::mirror
