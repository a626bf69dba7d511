// Takes a blob into an upstream's repository: it is there, or another repository there has it, or
// its bytes are moved, from where they broke off when they do (reliability.md N-06).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "entrepot/registry/copy.hpp"
#include "entrepot/registry/movers.hpp"
#include "entrepot/registry/sink.hpp"
#include "upstream/unfinished.hpp"
#include "upstream/upload_notes.hpp"

namespace entrepot::upstream {

// What the pushes to one upstream share.
struct PushDesk {
  PushDesk(std::shared_ptr<Asker> asker, UploadMemory memory, const base::Clock& clock)
      : asker(asker), notes(std::move(memory), std::move(asker), clock) {}

  std::shared_ptr<Asker> asker;
  Unfinished unfinished;
  UploadNotes notes;
  std::shared_ptr<registry::Movers> movers = std::make_shared<registry::Movers>();
  registry::Sightings seen;
};

// One push, used once.
class BlobPush {
 public:
  BlobPush(std::shared_ptr<PushDesk> desk, oci::RepositoryName name, registry::BlobOffer offer);
  // What is under way is kept for the next push of the same blob, however this one ends.
  ~BlobPush();
  BlobPush(const BlobPush&) = delete;
  BlobPush& operator=(const BlobPush&) = delete;

  async::Task<registry::Answer<registry::BlobTaken>> run();

 private:
  async::Task<registry::Answer<registry::BlobTaken>> push();
  // The upload an earlier push of this blob left, in this process or one before it.
  async::Task<> recall();
  async::Task<> note();
  async::Task<registry::Answer<bool>> is_held();
  // True when the blob was mounted; an upload may be open then if it was not.
  async::Task<bool> mount();
  async::Task<registry::Answer<void>> open();
  async::Task<Try<void>> attempt();
  async::Task<Try<void>> send(std::shared_ptr<OfferedBytes> bytes);
  async::Task<Try<void>> try_once(std::shared_ptr<OfferedBytes> bytes);
  async::Task<Try<std::optional<std::uint64_t>>> settled_offset();
  async::Task<Try<void>> find_offset();
  async::Task<registry::Answer<void>> recover(Setback setback);
  bool adapt(const Setback& setback);
  void arrived(std::uint64_t offset);
  void drop();

  std::shared_ptr<PushDesk> desk_;
  oci::RepositoryName name_;
  registry::BlobOffer offer_;

  std::optional<Upload> upload_;
  std::string noted_;  // its address in the notes; empty: there is none
  bool offset_known_ = false;
  std::uint64_t offset_ = 0;  // what stands there, or stood before the last break
  std::uint64_t piece_;       // the most sent in one request

  std::uint64_t furthest_ = 0;  // that ever arrived
  std::uint64_t progress_ = 0;  // of it, since the first of these strikes
  unsigned strikes_ = 0;        // breaks not forgiven yet
};

}  // namespace entrepot::upstream
