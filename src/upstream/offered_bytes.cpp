#include "upstream/offered_bytes.hpp"

#include <algorithm>
#include <system_error>

#include "entrepot/oci/refusal.hpp"

namespace entrepot::upstream {

using registry::Answer;
using registry::Failure;
using registry::FailureKind;

namespace {

// As RemoteBlob, which comes to its end in the same way.
constexpr std::uint64_t worth_a_fresh_start = 1024 * 1024;

bool may_pass(const Failure& failure) {
  return failure.kind == FailureKind::broken || failure.kind == FailureKind::timeout;
}

}  // namespace

async::Task<Answer<void>> OfferedBytes::open(std::uint64_t offset) {
  auto content = co_await offer_.open({.offset = offset, .size = offer_.size, .patience = {}});
  if (!content) co_return std::unexpected(std::move(content.error()));
  if (content->bytes->size() != offer_.size)
    co_return std::unexpected(Failure{
        FailureKind::broken, "the blob offered has " + std::to_string(content->bytes->size()) +
                                 " bytes, not " + std::to_string(offer_.size)});
  bytes_ = std::move(content->bytes);
  co_return Answer<void>();
}

async::Task<Answer<async::Chunk>> OfferedBytes::read(std::uint64_t offset, std::uint64_t most) {
  try {
    co_return co_await bytes_->read_at(offset, std::min(most, end_ - offset));
  } catch (const oci::Refusal& refusal) {
    co_return std::unexpected(registry::failure_of(refusal));
  } catch (const std::system_error& error) {
    co_return std::unexpected(Failure{FailureKind::broken, error.what()});
  }
}

async::Task<async::Chunk> OfferedBytes::read_at(std::uint64_t offset, std::uint64_t most) {
  for (;;) {
    const bool first = !bytes_ && strikes_ == 0;
    auto opened = bytes_ ? Answer<void>() : co_await open(offset);
    if (!opened && first) throw OfferFailed(std::move(opened.error()));  // has tried enough itself
    if (!opened) {
      co_await strike(std::move(opened.error()));
      continue;
    }
    auto chunk = co_await read(offset, most);
    if (chunk) {
      progress_ += async::length_of(*chunk);
      co_return std::move(*chunk);
    }
    bytes_.reset();
    co_await strike(std::move(chunk.error()));
  }
}

// Waits before the next try, or gives up.
async::Task<> OfferedBytes::strike(Failure failure) {
  if (progress_ >= worth_a_fresh_start) strikes_ = 0;
  if (strikes_ == 0) progress_ = 0;
  strikes_ += failure.kind == FailureKind::timeout ? 2 : 1;
  const Setback setback{failure, may_pass(failure) ? Again::may_help : Again::is_pointless};
  const auto delay = retry_delay(rule_, strikes_, setback, draw_jitter());
  if (!delay) throw OfferFailed(std::move(failure));
  co_await async::sleep_for(*delay);
}

}  // namespace entrepot::upstream
