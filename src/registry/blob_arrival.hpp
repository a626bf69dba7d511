// One blob on its way into a local repository: found here and linked, or moved, whatever breaks.
//
// Lives for one LocalPlace::put_blob. What came so far is kept on disk, however it ends: the next
// attempt asks for the rest only.
#pragma once

#include <memory>
#include <optional>

#include "entrepot/index/events.hpp"
#include "entrepot/registry/local_place.hpp"
#include "entrepot/store/spool.hpp"

namespace entrepot::registry {

class BlobArrival {
 public:
  BlobArrival(const LocalPlace::House& house, oci::RepositoryName repository, BlobOffer offer,
              const index::Actor& actor);
  // In place when nobody could wait for it: the process leaves, or the task was cancelled.
  ~BlobArrival();
  BlobArrival(const BlobArrival&) = delete;
  BlobArrival& operator=(const BlobArrival&) = delete;

  // Refusals of the policy, and what the disk says, leave as exceptions.
  async::Task<Answer<BlobTaken>> run();

 private:
  enum class Confirmed { yes, no };
  using Settled = std::optional<Answer<BlobTaken>>;

  async::Task<Answer<BlobTaken>> take();
  async::Task<Settled> look();
  async::Task<Settled> claim(std::uint64_t size);
  async::Task<Settled> adopt(std::uint64_t size);
  async::Task<Answer<Confirmed>> confirm(std::uint64_t size);
  async::Task<bool> begin();
  async::Task<Answer<BlobTaken>> move();
  async::Task<Answer<void>> receive();
  async::Task<std::optional<Failure>> transfer();
  async::Task<std::optional<Failure>> take_in(async::ByteSource& bytes);
  async::Task<> admit();
  async::Task<> put_away();
  void check_disk() const;

  const LocalPlace::House& house_;
  const oci::RepositoryName repository_;
  const BlobOffer offer_;
  const index::Actor& actor_;
  std::unique_ptr<store::Spool> spool_;
  bool asked_ = false;  // the source was asked whether it has it
  std::uint64_t moved_ = 0;
};

}  // namespace entrepot::registry
