// The bytes of a blob somebody offers, opened where they are wanted first.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>

#include "entrepot/async/byte_source.hpp"
#include "entrepot/registry/sink.hpp"

namespace entrepot::upstream {

// What the offer's owner said when its bytes were wanted.
class OfferFailed : public std::exception {
 public:
  explicit OfferFailed(registry::Failure failure) : failure(std::move(failure)) {}
  const char* what() const noexcept override { return failure.message.c_str(); }

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

  // Why reading failed; absent: it did not.
  const std::optional<registry::Failure>& failure() const { return failure_; }

 private:
  async::Task<> open(std::uint64_t offset);
  [[noreturn]] void fail(registry::Failure failure);

  registry::BlobOffer offer_;
  std::uint64_t end_;
  std::unique_ptr<async::ByteSource> bytes_;
  std::optional<registry::Failure> failure_;
};

}  // namespace entrepot::upstream
