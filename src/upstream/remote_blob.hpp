// A blob of an upstream as a ByteSource: one transfer, read in order, resumed by Range where it
// broke off, at the next URL if need be.
//
// What comes is not verified here; but no reader gets bytes of two different things in a row as
// long as the upstream's entity tags and sizes tell them apart (reliability.md C-03).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "entrepot/async/byte_source.hpp"
#include "upstream/asker.hpp"

namespace entrepot::upstream {

class RemoteBlob final : public async::ByteSource {
 public:
  RemoteBlob(std::shared_ptr<Asker> asker, Question question, std::uint64_t size);

  // Takes over a transfer that answers `question`. Why it cannot be used, if so.
  std::optional<std::string> begin(Held held);

  std::uint64_t size() const override { return size_; }
  // Throws oci::Refusal when the upstream fails for good.
  async::Task<async::Chunk> read_at(std::uint64_t offset, std::uint64_t most) override;

 private:
  enum class Found { bytes, broken_off };

  async::Task<> reach(std::uint64_t offset);
  async::Task<Found> fetch_piece();
  async::Task<> reopen(std::uint64_t offset);
  async::Task<> recover();
  async::Task<> strike(registry::Failure failure);
  std::optional<std::string> place(const http::Response& response);
  std::optional<std::string> check_validator(const Reply& reply) const;
  void keep_validator(const Reply& reply);
  void drop(std::uint64_t count);
  void count_fresh(std::uint64_t first, std::uint64_t end);
  [[noreturn]] void give_up(std::string why) const;

  std::shared_ptr<Asker> asker_;
  Question question_;
  std::uint64_t size_;

  std::optional<Held> held_;    // the running transfer
  std::uint64_t position_ = 0;  // of piece_'s first byte, else of the next to come
  base::ByteView piece_;        // received, not yet given out
  std::shared_ptr<const void> piece_owner_;
  std::string validator_;  // entity tag of the first answer, and who gave it
  std::string validator_origin_;

  std::uint64_t furthest_ = 0;  // end of what any transfer brought
  std::uint64_t fresh_ = 0;     // bytes the running transfer was the first to bring
  std::uint64_t progress_ = 0;  // such bytes since the first of these strikes
  unsigned strikes_ = 0;        // breaks not forgiven yet
  bool ignores_ranges_ = false;
  registry::Failure broke_off_;  // how the last transfer ended
};

}  // namespace entrepot::upstream
