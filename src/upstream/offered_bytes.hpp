// The bytes of a blob somebody offers: opened where they are wanted first, and again further on
// when they break off, so that the upload they go into need not.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>

#include "entrepot/async/byte_source.hpp"
#include "entrepot/registry/sink.hpp"
#include "upstream/retry.hpp"

namespace entrepot::upstream {

// What the offer's owner said when its bytes were wanted: final.
class OfferFailed : public std::exception {
 public:
  explicit OfferFailed(registry::Failure why) : failure(std::move(why)) {
    failure.whose = registry::Whose::source;
  }
  const char* what() const noexcept override { return failure.message.c_str(); }

  registry::Failure failure;
};

class OfferedBytes final : public async::ByteSource {
 public:
  OfferedBytes(registry::BlobOffer offer, const RetryRule& rule)
      : offer_(std::move(offer)), rule_(rule), end_(offer_.size) {}

  // Whoever reads sees it end there; at most the blob's size.
  void end_at(std::uint64_t end) { end_ = end; }

  std::uint64_t size() const override { return end_; }
  // Throws OfferFailed, whatever failed.
  async::Task<async::Chunk> read_at(std::uint64_t offset, std::uint64_t most) override;

 private:
  async::Task<registry::Answer<void>> open(std::uint64_t offset);
  async::Task<registry::Answer<async::Chunk>> read(std::uint64_t offset, std::uint64_t most);
  async::Task<> strike(registry::Failure failure);

  registry::BlobOffer offer_;
  RetryRule rule_;
  std::uint64_t end_;
  std::unique_ptr<async::ByteSource> bytes_;
  std::uint64_t progress_ = 0;  // bytes since the first of these strikes
  unsigned strikes_ = 0;        // breaks not forgiven yet
};

}  // namespace entrepot::upstream
