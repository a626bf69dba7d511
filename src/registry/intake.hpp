// Carries what arrives on a connection into a Spool, over the pool: hashing and writing a piece
// takes some hundred microseconds, or as long as the disk likes.
//
// One piece at a time, in order. Small ones are gathered first, a hop costs as much as hashing
// 48 KiB. Whatever ends it, what had arrived is in the Spool when the Intake is gone.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "entrepot/async/offload.hpp"
#include "entrepot/registry/uploads.hpp"
#include "entrepot/store/spool.hpp"

namespace entrepot::registry {

class Intake {
 public:
  // `grown` hears of the Spool's size after each piece, and may throw to end it.
  Intake(store::Spool& spool, async::BlockingPool& pool, std::function<void(std::uint64_t)> grown)
      : spool_(spool), pool_(pool), grown_(std::move(grown)) {}
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // To the end of `pieces`. Refuses as size_invalid when it is not `length`: what is too much is
  // not taken.
  async::Task<> run(NextPiece pieces, std::optional<std::uint64_t> length);

 private:
  async::Task<> take(base::ByteView piece);
  async::Task<> flush();
  void append_gathered();

  store::Spool& spool_;
  async::BlockingPool& pool_;
  const std::function<void(std::uint64_t)> grown_;
  std::vector<std::byte> gathered_;
};

}  // namespace entrepot::registry
