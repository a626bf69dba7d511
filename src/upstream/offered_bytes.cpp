#include "upstream/offered_bytes.hpp"

#include <algorithm>
#include <system_error>

#include "entrepot/oci/refusal.hpp"

namespace entrepot::upstream {

using registry::Failure;
using registry::FailureKind;

async::Task<> OfferedBytes::open(std::uint64_t offset) {
  auto content = co_await offer_.open({.offset = offset, .size = offer_.size, .patience = {}});
  if (!content) throw OfferFailed(OfferFailed::When::opened, std::move(content.error()));
  if (content->bytes->size() != offer_.size)
    throw OfferFailed(
        OfferFailed::When::opened,
        {FailureKind::broken, "the blob offered has " + std::to_string(content->bytes->size()) +
                                  " bytes, not " + std::to_string(offer_.size)});
  bytes_ = std::move(content->bytes);
}

async::Task<async::Chunk> OfferedBytes::read_at(std::uint64_t offset, std::uint64_t most) {
  std::optional<Failure> failure;
  try {
    if (!bytes_) co_await open(offset);
    co_return co_await bytes_->read_at(offset, std::min(most, end_ - offset));
  } catch (const oci::Refusal& refusal) {
    failure = registry::failure_of(refusal);
  } catch (const std::system_error& error) {
    failure = Failure{FailureKind::broken, error.what()};
  }
  throw OfferFailed(OfferFailed::When::read, std::move(*failure));
}

}  // namespace entrepot::upstream
