// The bytes of a blob somebody offers, opened where they are wanted first.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>

#include "entrepot/async/byte_source.hpp"
#include "entrepot/registry/sink.hpp"

namespace entrepot::upstream {

// What the offer's owner said when its bytes were wanted.
class OfferFailed : public std::exception {
 public:
  enum class When { opened, read };
  OfferFailed(When when, registry::Failure failure) : when(when), failure(std::move(failure)) {}
  const char* what() const noexcept override { return failure.message.c_str(); }

  When when;
  registry::Failure failure;
};

class OfferedBytes final : public async::ByteSource {
 public:
  explicit OfferedBytes(registry::BlobOffer offer) : offer_(std::move(offer)), end_(offer_.size) {}

  // Whoever reads sees it end there; at most the blob's size.
  void end_at(std::uint64_t end) { end_ = end; }

  std::uint64_t size() const override { return end_; }
  // Throws OfferFailed, whatever failed.
  async::Task<async::Chunk> read_at(std::uint64_t offset, std::uint64_t most) override;

 private:
  async::Task<> open(std::uint64_t offset);

  registry::BlobOffer offer_;
  std::uint64_t end_;
  std::unique_ptr<async::ByteSource> bytes_;
};

}  // namespace entrepot::upstream
