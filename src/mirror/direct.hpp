// A blob passed on from upstream without being kept, because the disk refuses it (reliability.md
// C-11). The tail is withheld until the digest is proven, as a Fill does.
//
// Bytes that had reached the disk before it filled up are served from there. Reading is sequential,
// for the hash's sake: going forward reads and drops, going back starts over. What a reader was
// given before it went back must be what the new transfer sends, too, or a body pieced together of
// both could be complete without ever having been proven. Once the tail is out nothing withholds
// the end of a body any more: who goes back then is cut off.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>

#include "entrepot/base/metrics.hpp"
#include "mirror/fill.hpp"

namespace entrepot::mirror {

class Direct : public async::ByteSource {
 public:
  // Asks upstream, so that its size is known and its refusal a value. `patience`: for a turn among
  // the transfers; one who has a body in hand already waits as long as it takes.
  static async::Task<registry::Answer<std::unique_ptr<Direct>>> open(
      Origin origin, Remainder remainder, base::Metrics& metrics,
      std::optional<std::chrono::milliseconds> patience);

  std::uint64_t size() const override { return total_; }
  async::Task<async::Chunk> read_at(std::uint64_t offset, std::uint64_t most) override;

 private:
  Direct(Origin origin, Remainder remainder, base::Metrics& metrics);

  async::Task<registry::Answer<registry::BlobContent>> ask(
      std::optional<std::chrono::milliseconds> patience);
  async::Task<> rewind();
  void compare_with_earlier() const;
  async::Task<async::Chunk> next(std::uint64_t most);
  async::Task<> advance_to(std::uint64_t offset);
  async::Task<> prove();

  const Origin origin_;
  const Remainder base_;
  base::Metrics& metrics_;
  std::unique_ptr<async::ByteSource> upstream_;
  std::uint64_t total_ = 0;
  std::uint64_t position_ = 0;  // of upstream_: bytes before it are in hasher_
  oci::Hasher hasher_;
  // How far earlier transfers were read, and what they sent up to there.
  std::map<std::uint64_t, oci::Digest> sent_before_;
  std::shared_ptr<const std::string> tail_;  // proven; null before
};

}  // namespace entrepot::mirror
