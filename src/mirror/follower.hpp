// A reader of a Fill, as a ByteSource: gives out ranges of the growing file and waits for more.
//
// When the disk refuses the blob midway it goes on with a Direct of its own, from where the file
// ends; its reader does not notice.
#pragma once

#include <memory>
#include <optional>

#include "mirror/direct.hpp"
#include "mirror/fill.hpp"

namespace entrepot::mirror {

class Follower : public async::ByteSource {
 public:
  // `origin` is that of this reader's repository, not of the one that started the fill. REQUIRES:
  // the fill's total is known.
  Follower(Seat seat, Origin origin, std::uint64_t total, base::Metrics& metrics)
      : seat_(std::move(seat)), origin_(std::move(origin)), total_(total), metrics_(metrics) {}

  std::uint64_t size() const override { return total_; }
  async::Task<async::Chunk> read_at(std::uint64_t offset, std::uint64_t most) override;

 private:
  std::optional<async::Chunk> available(const Fill::Progress& now, std::uint64_t offset,
                                        std::uint64_t most);
  async::Task<> go_direct(Remainder remainder);

  Seat seat_;
  const Origin origin_;
  const std::uint64_t total_;
  base::Metrics& metrics_;
  std::optional<std::uint64_t> reading_;  // the generation bytes were given out of
  std::unique_ptr<Direct> direct_;
};

}  // namespace entrepot::mirror
